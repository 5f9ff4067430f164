/* One table for all classes: an octet's are the bits of its entry, so that a line is
 * checked by a load a character. */
#include "http/http_char.h"

enum {
    CT = CHAR_CONTROL,
    HT = CHAR_CONTROL | CHAR_VALUE,
    VC = CHAR_VALUE,
    TK = CHAR_VALUE | CHAR_TOKEN,
    RN = CHAR_VALUE | CHAR_REG_NAME,
    TR = CHAR_VALUE | CHAR_TOKEN | CHAR_REG_NAME,
    UN = CHAR_VALUE | CHAR_TOKEN | CHAR_REG_NAME | CHAR_UNRESERVED,
};

#define OBS_TEXT VC, VC, VC, VC, VC, VC, VC, VC, VC, VC, VC, VC, VC, VC, VC, VC

const uint8_t http_char_class[256] = {
    /* controls */
    CT, CT, CT, CT, CT, CT, CT, CT, CT, HT, CT, CT, CT, CT, CT, CT, CT, CT, CT, CT, CT,
    CT, CT, CT, CT, CT, CT, CT, CT, CT, CT, CT,
    /* space ! " # $ % & ' ( ) * + , - . / */
    VC, TR, VC, TK, TR, TK, TR, TR, RN, RN, TR, TR, VC, UN, UN, VC,
    /* 0 to 9, : ; < = > ? */
    UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, VC, RN, VC, RN, VC, VC,
    /* @, A to O */
    VC, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN,
    /* P to Z, [ \ ] ^ _ */
    UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, VC, VC, VC, TK, UN,
    /* `, a to o */
    TK, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN,
    /* p to z, { | } ~ DEL */
    UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, UN, VC, TK, VC, UN, CT,
    /* from 0x80 up */
    OBS_TEXT, OBS_TEXT, OBS_TEXT, OBS_TEXT, OBS_TEXT, OBS_TEXT, OBS_TEXT, OBS_TEXT
};
