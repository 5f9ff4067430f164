/* FreeBSD's tunables, which its scripts set, as ours. */
#ifndef TAPIR_TOOLS_DRILL_FREEBSD_H
#define TAPIR_TOOLS_DRILL_FREEBSD_H

struct tapir;

/* As tapir_sysctl(), which it is for every other name. What has no meaning here
 * ("net.inet.tcp.blackhole") is taken and sets nothing. */
int freebsd_sysctl(struct tapir *host, const char *name, const char *value);

#endif
