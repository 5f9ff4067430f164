/* Media types by file name. */
#ifndef TAPIR_HTTP_MIME_H
#define TAPIR_HTTP_MIME_H

/* The Content-Type for a file of that name, by its last extension, whose case does not
 * matter; "application/octet-stream" when it says nothing. */
const char *http_mime(const char *name);

#endif
