/* A directory with a few files, for tests of what is served from it:
 *
 *     site/index.html          "<p>home</p>\n"
 *     site/a.txt               "hello"                 site/empty.txt   ""
 *     site/a b.txt             "space"                 site/big.bin     100,000 bytes
 *     site/sub/index.html      "<p>sub</p>\n"          site/sub/c.txt   "c"
 *     site/page.html           "<p>plain</p>\n"        site/page.html.gz "coded"
 *     site/sub dir/index.html  "<p>dir</p>\n"          site/bare/       nothing
 *     site/fifo                a FIFO                  site/in -> sub/c.txt
 *     site/out -> ../secret    site/up -> ..           site/abs -> (absolute) secret
 *     secret                   "secret", beside site
 *
 * Every file was changed on Sun, 06 Nov 1994 08:49:37 GMT. */
#ifndef TAPIR_TESTS_SITE_H
#define TAPIR_TESTS_SITE_H

#include <stddef.h>

/* Makes it; the path of site/, good until site_down(). */
const char *site_up(void);
void site_down(void);

/* The i-th byte of big.bin. */
static inline char site_byte(size_t i)
{
    return (char)(i * 7 + i / 251);
}

/* Cuts or lengthens a file of the site. */
void site_resize(const char *name, size_t len);

#endif
