/* Counters under the names that `nstat` gives them on Linux, so that a reader knows
 * them; what the link emulator does begins with Netem. Drops are counted by reason, in
 * struct counters too. */
#ifndef TAPIR_BASE_COUNT_H
#define TAPIR_BASE_COUNT_H

#include <stdint.h>

#include "base/drop.h"

/* clang-format off */
#define COUNT_TABLE(C) \
    C(IpInReceives) \
    C(IpInDelivers) \
    C(IpOutRequests) \
    C(IpInHdrErrors) \
    C(IpReasmReqds) \
    C(IpReasmOKs) \
    C(IpReasmFails) \
    C(IpReasmTimeout) \
    C(IpFragOKs) \
    C(IpFragFails) \
    C(IpFragCreates) \
    C(IpExtInNoECTPkts) \
    C(IpExtInECT1Pkts) \
    C(IpExtInECT0Pkts) \
    C(IpExtInCEPkts) \
    C(IcmpInMsgs) \
    C(IcmpInErrors) \
    C(IcmpOutMsgs) \
    C(IcmpInEchos) \
    C(IcmpOutEchoReps) \
    C(IcmpInEchoReps) \
    C(IcmpOutEchos) \
    C(IcmpInDestUnreachs) \
    C(IcmpOutDestUnreachs) \
    C(IcmpInTimeExcds) \
    C(IcmpInRedirects) \
    C(ArpInRequests) \
    C(ArpInReplies) \
    C(ArpOutRequests) \
    C(ArpOutReplies) \
    C(UdpInDatagrams) \
    C(UdpOutDatagrams) \
    C(UdpNoPorts) \
    C(UdpInErrors) \
    C(UdpMemErrors) \
    C(TcpActiveOpens) \
    C(TcpPassiveOpens) \
    C(TcpAttemptFails) \
    C(TcpEstabResets) \
    C(TcpInSegs) \
    C(TcpOutSegs) \
    C(TcpRetransSegs) \
    C(TcpInErrs) \
    C(TcpOutRsts) \
    C(TcpInCsumErrors) \
    C(TcpExtTCPTimeouts) \
    C(TcpExtTCPFastRetrans) \
    C(TcpExtTCPSlowStartRetrans) \
    C(TcpExtTCPLostRetransmit) \
    C(TcpExtTCPLossProbes) \
    C(TcpExtTCPLossProbeRecovery) \
    C(TcpExtTCPSackRecovery) \
    C(TcpExtTCPRenoRecovery) \
    C(TcpExtDelayedACKs) \
    C(TcpExtTCPOFOQueue) \
    C(TcpExtTCPOFODrop) \
    C(TcpExtTCPDSACKOldSent) \
    C(TcpExtTCPDSACKRecv) \
    C(TcpExtTCPFromZeroWindowAdv) \
    C(TcpExtTCPToZeroWindowAdv) \
    C(TcpExtTCPWinProbe) \
    C(TcpExtTCPKeepAlive) \
    C(TcpExtListenOverflows) \
    C(TcpExtListenDrops) \
    C(TcpExtTCPChallengeACK) \
    C(TcpExtTCPACKSkippedChallenge) \
    C(TcpExtTCPFastOpenActive) \
    C(TcpExtTCPFastOpenActiveFail) \
    C(TcpExtTCPFastOpenPassive) \
    C(TcpExtTCPFastOpenPassiveFail) \
    C(TcpExtTCPFastOpenListenOverflow) \
    C(TcpExtTCPFastOpenCookieReqd) \
    C(TcpExtSyncookiesSent) \
    C(TcpExtSyncookiesRecv) \
    C(TcpExtSyncookiesFailed) \
    C(TcpExtTCPAbortOnData) \
    C(TcpExtTCPAbortOnClose) \
    C(TcpExtTCPAbortOnTimeout) \
    C(TcpExtTCPAbortOnLinger) \
    C(TcpExtTCPDeferAcceptDrop) \
    C(TcpExtTCPAbortOnMemory) \
    C(TcpExtTCPMemoryPressures) \
    C(TcpExtTCPMemoryPressuresChrono) \
    C(TcpExtPruneCalled) \
    C(TcpExtOfoPruned) \
    C(TcpExtTCPRcvCollapsed) \
    C(TcpExtTCPRcvQDrop) \
    C(TcpExtTCPSynRetrans) \
    C(TcpExtTCPOrigDataSent) \
    C(TcpExtTCPDelivered) \
    C(TcpExtTCPDeliveredCE) \
    C(TcpExtTCPPureAcks) \
    C(TcpExtTCPHPHits) \
    C(TcpExtTW) \
    C(TcpExtTWRecycled) \
    C(TcpExtPAWSEstab) \
    C(TcpExtPAWSActive) \
    C(TcpExtOutOfWindowIcmps) \
    C(TcpExtTCPMTUPFail) \
    C(TcpExtTCPReqQFullDrop) \
    C(TcpExtTCPTimeWaitOverflow) \
    C(NetemReordered) \
    C(NetemDuplicated) \
    C(NetemCorrupted) \
    C(NetemEcnMarked) \
    C(NetemHeld)
/* clang-format on */

#define COUNT_ENUM(name) COUNT_##name,
enum count { COUNT_TABLE(COUNT_ENUM) COUNT_N };
#undef COUNT_ENUM

struct counters {
    uint64_t n[COUNT_N];   /* events */
    uint64_t drop[DROP_N]; /* packets dropped, by reason */
};

/* "TcpExtTCPTimeouts"; "?" for a number that is none. */
const char *count_name(enum count which);

static inline void count(struct counters *c, enum count which)
{
    c->n[which]++;
}

static inline void count_n(struct counters *c, enum count which, uint64_t n)
{
    c->n[which] += n;
}

#endif
