/* Ethernet II header (RFC 894): where to, where from, and what is inside.
 *
 *      0             6            12     14
 *      | destination | source      | type | payload ... */
#include "wire/eth.h"

#include <string.h>

#include "base/bytes.h"

bool eth_parse(const uint8_t *b, size_t len, struct eth *out)
{
    if (len < ETH_LEN)
        return false;
    memcpy(out->dst.b, b, sizeof out->dst.b);
    memcpy(out->src.b, b + 6, sizeof out->src.b);
    out->type = get16(b + 12);
    return true;
}

void eth_emit(uint8_t *b, const struct eth *h)
{
    memcpy(b, h->dst.b, sizeof h->dst.b);
    memcpy(b + 6, h->src.b, sizeof h->src.b);
    put16(b + 12, h->type);
}
