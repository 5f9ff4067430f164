/* Weights are thousandths; one that cannot be read is as if it were 0: what is not
 * clearly welcome is not sent. */
#include "http/http_accept.h"

#include "http/http_char.h"

/* ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), in thousandths; or 0. */
static int parse_weight(struct http_slice s)
{
    int weight, unit = 100;

    if (s.len == 0 || s.len > 5 || (s.at[0] != '0' && s.at[0] != '1'))
        return 0;
    weight = (s.at[0] - '0') * 1000;
    if (s.len > 1 && s.at[1] != '.')
        return 0;
    for (size_t i = 2; i < s.len; i++, unit /= 10) {
        if (!is_digit(s.at[i]))
            return 0;
        weight += (s.at[i] - '0') * unit;
    }
    return weight <= 1000 ? weight : 0;
}

/* coding [ OWS ";" OWS "q=" qvalue ]: the weight, and in *element the coding alone. */
static int take_weight(struct http_slice *element)
{
    size_t n = slice_span(*element, ";");
    struct http_slice rest = slice_from(*element, n);

    *element = slice_trim(slice_first(*element, n));
    if (rest.len == 0)
        return 1000;
    rest = slice_trim(slice_from(rest, 1));
    return slice_begins_nocase(rest, "q=") ? parse_weight(slice_from(rest, 2)) : 0;
}

/* The weight of a coding by its name, -1 if it is not in the list. */
static int weight_of(const struct http_head *head, const char *coding)
{
    const struct http_field *f = NULL;
    struct http_slice rest, element;

    while ((f = http_next_field(head, "Accept-Encoding", f))) {
        rest = f->value;
        while (slice_next_element(&rest, &element)) {
            int weight = take_weight(&element);
            if (slice_is_nocase(element, coding))
                return weight;
        }
    }
    return -1;
}

bool http_accepts_coding(const struct http_head *head, const char *coding)
{
    int weight = weight_of(head, coding);

    if (weight < 0)
        weight = weight_of(head, "*");
    return weight > 0 && weight >= weight_of(head, "identity");
}
