/* ARP packets (RFC 826), for the one pair that this stack speaks: IPv4 over Ethernet.
 *
 *      0      2      4   5   6    8          14         18         24         28
 *      | htype| ptype|hln|pln| op | sender's | sender's | target's | target's |
 *      |   1  | 0800 | 6 | 4 |    | MAC      | IPv4     | MAC      | IPv4     | */
#include "wire/arp_wire.h"

#include <string.h>

#include "base/bytes.h"

enum { ARP_ETHERNET = 1, ARP_IP4 = 0x0800 };

bool arp_parse(const uint8_t *b, size_t len, struct arp *out)
{
    if (len < ARP_LEN)
        return false;
    if (get16(b) != ARP_ETHERNET || get16(b + 2) != ARP_IP4 || b[4] != 6 || b[5] != 4)
        return false;
    out->op = get16(b + 6);
    memcpy(out->sender_mac.b, b + 8, sizeof out->sender_mac.b);
    out->sender_ip = ip4_addr(get32(b + 14));
    memcpy(out->target_mac.b, b + 18, sizeof out->target_mac.b);
    out->target_ip = ip4_addr(get32(b + 24));
    return true;
}

void arp_emit(uint8_t *b, const struct arp *a)
{
    put16(b, ARP_ETHERNET);
    put16(b + 2, ARP_IP4);
    b[4] = 6;
    b[5] = 4;
    put16(b + 6, a->op);
    memcpy(b + 8, a->sender_mac.b, sizeof a->sender_mac.b);
    put32(b + 14, ip4_num(a->sender_ip));
    memcpy(b + 18, a->target_mac.b, sizeof a->target_mac.b);
    put32(b + 24, ip4_num(a->target_ip));
}
