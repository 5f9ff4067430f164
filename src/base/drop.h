/* Why a packet died. Every packet that is not delivered dies through net_drop() (or the
 * link emulator) with one of these; each has a counter and a name that --stat
 * prints. */
#ifndef TAPIR_BASE_DROP_H
#define TAPIR_BASE_DROP_H

/* enum, name as printed, what it means */
#define DROP_TABLE(D)                                                                \
    D(ETH_SHORT, "EthShort", "frame shorter than an Ethernet header")                \
    D(ETH_OTHER_HOST, "EthOtherHost", "unicast frame for another station")           \
    D(ETH_TYPE, "EthTypeUnknown", "EtherType that this stack does not speak")        \
    D(ETH_IPV6, "EthIPv6Ignored", "IPv6 frame: IPv6 is not enabled")                 \
    D(ARP_INVALID, "ArpInvalid", "malformed ARP packet")                             \
    D(ARP_IGNORED, "ArpIgnored", "ARP packet that asks nothing of this host")        \
    D(ARP_CONFLICT, "ArpConflict", "another station claims this host's address")     \
    D(NEIGH_QUEUE_FULL, "NeighQueueFull", "too many packets wait for an address")    \
    D(NEIGH_FAILED, "NeighFailed", "the neighbour did not answer ARP")               \
    D(IP_SHORT, "IpShort", "shorter than an IPv4 header or its total length")        \
    D(IP_VERSION, "IpVersion", "version field is not 4")                             \
    D(IP_HEADER, "IpHeaderError", "header length below 20 or beyond the packet")     \
    D(IP_CKSUM, "IpCsumError", "header checksum is wrong")                           \
    D(IP_OPTIONS, "IpOptionError", "malformed option")                               \
    D(IP_SOURCE_ROUTE, "IpSourceRoute", "source-routed packet refused")              \
    D(IP_SOURCE, "IpSourceInvalid", "source address that no host may have")          \
    D(IP_NOT_OURS, "IpNotOurs", "destination is not this host")                      \
    D(IP_LINK_BROADCAST, "IpLinkBroadcast", "unicast packet in a broadcast frame")   \
    D(FRAG_INVALID, "FragInvalid", "fragment of a length or at a place none may be") \
    D(FRAG_DUPLICATE, "FragDuplicate", "fragment that is here already")              \
    D(FRAG_OVERLAP, "FragOverlap", "fragments that overlap or disagree on the end")  \
    D(FRAG_ECN, "FragEcn", "fragments marked CE beside others that are not ECT")     \
    D(FRAG_MEMORY, "FragMemory", "too many fragments wait: the oldest goes")         \
    D(FRAG_TIMEOUT, "FragTimeout", "the rest of the datagram did not come")          \
    D(IP_PROTO, "IpUnknownProto", "protocol that this stack does not speak")         \
    D(IP_NO_ROUTE, "IpNoRoute", "no route to the destination")                       \
    D(IP_TOO_BIG, "IpTooBig", "packet larger than the MTU")                          \
    D(ICMP_SHORT, "IcmpShort", "shorter than an ICMP header")                        \
    D(ICMP_CKSUM, "IcmpCsumError", "ICMP checksum is wrong")                         \
    D(ICMP_TYPE, "IcmpTypeIgnored", "ICMP message that needs no answer")             \
    D(ICMP_QUOTE, "IcmpQuoteInvalid", "error about a packet that was never sent")    \
    D(ICMP_REDIRECT, "IcmpRedirectRefused", "redirect that cannot be believed")      \
    D(ICMP_RATE, "IcmpRateLimited", "ICMP answer withheld by the rate limit")        \
    D(ICMP_NO_SOCKET, "IcmpNoSocket", "echo reply that nobody waits for")            \
    D(ICMP_QUEUE_FULL, "IcmpRcvbufError", "the socket's receive buffer is full")     \
    D(ICMP_MEMORY, "IcmpMemory", "the packet pool is too full for it to wait in")    \
    D(UDP_SHORT, "UdpShort", "shorter than a UDP header or its length field")        \
    D(UDP_CKSUM, "UdpCsumError", "UDP checksum is wrong")                            \
    D(UDP_NO_PORT, "UdpNoPort", "nobody listens on the port")                        \
    D(UDP_QUEUE_FULL, "UdpRcvbufError", "the socket's receive buffer is full")       \
    D(UDP_MEMORY, "UdpMemory", "the packet pool is too full for it to wait in")      \
    D(TCP_SHORT, "TcpShort", "shorter than a TCP header or its data offset")         \
    D(TCP_OFFSET, "TcpOffsetError", "data offset below 20")                          \
    D(TCP_CKSUM, "TcpCsumError", "TCP checksum is wrong")                            \
    D(TCP_BROADCAST, "TcpBroadcast", "segment to or from a broadcast address")       \
    D(TCP_FLAGS, "TcpFlagsInvalid", "combination of flags that no state expects")    \
    D(TCP_NO_SOCKET, "TcpNoSocket", "no connection and no listener: reset")          \
    D(TCP_CLOSED_RST, "TcpRstNoSocket", "RST for nobody")                            \
    D(TCP_OLD_SEQ, "TcpOldSequence", "wholly before the window: acknowledged")       \
    D(TCP_FUTURE_SEQ, "TcpFutureSequence", "beyond the window: acknowledged")        \
    D(TCP_PAWS, "TcpPaws", "timestamp older than the last one (RFC 7323)")           \
    D(TCP_NO_TIMESTAMP, "TcpNoTimestamp", "timestamp agreed on, but missing")        \
    D(TCP_BAD_ACK, "TcpBadAck", "acknowledges what was not sent, or long ago")       \
    D(TCP_NO_ACK, "TcpNoAckFlag", "ACK bit off")                                     \
    D(TCP_RST_CHALLENGED, "TcpRstChallenged", "RST in the window, not at its edge")  \
    D(TCP_SYN_CHALLENGED, "TcpSynChallenged", "SYN on a synchronized connection")    \
    D(TCP_DUPLICATE, "TcpDuplicate", "text that was already received")               \
    D(TCP_AFTER_FIN, "TcpAfterFin", "text beyond the peer's FIN")                    \
    D(TCP_RCV_CLOSED, "TcpRcvClosed", "text for a reader that is gone: reset")       \
    D(TCP_RCVBUF, "TcpRcvbufFull", "no room in the receive buffer")                  \
    D(TCP_OFO_FULL, "TcpOfoFull", "no room for text out of order")                   \
    D(TCP_LISTEN_ACK, "TcpListenAck", "segment with ACK for a listener: reset")      \
    D(TCP_LISTEN_OTHER, "TcpListenOther", "neither SYN nor ACK nor RST, listener")   \
    D(TCP_DEFERRED, "TcpDeferAccept", "an ACK without text, and text is waited for") \
    D(TCP_BACKLOG, "TcpListenOverflow", "the accept queue is full")                  \
    D(TCP_SYN_QUEUE, "TcpSynQueueFull", "too many half-open connections")            \
    D(TCP_TIME_WAIT, "TcpTimeWait", "old segment for a connection in TIME-WAIT")     \
    D(TCP_MEMORY, "TcpNoMemory", "no memory for a connection")                       \
    D(NO_BUFFER, "NoBuffer", "the packet pool is exhausted")                         \
    D(LINK_DOWN, "LinkDown", "the link is down or gone")                             \
    D(LINK_BUSY, "LinkBusy", "the link had no room for the packet or its rest")      \
    D(LINK_ERROR, "LinkError", "the device refused the frame")                       \
    D(LINK_TOO_BIG, "LinkTooBig", "frame longer than the link's MTU allows")         \
    D(LOOPBACK_FULL, "LoopbackFull", "the loopback queue is full")                   \
    D(NETEM_LOSS, "NetemLoss", "lost by the link emulator")                          \
    D(NETEM_SCRIPT, "NetemScripted", "dropped by the link emulator's script")        \
    D(NETEM_LIMIT, "NetemLimit", "the link emulator's queue is full")                \
    D(NETEM_CODEL, "NetemCodel", "waited too long in the link emulator's queue")     \
    D(NETEM_MTU, "NetemMtu", "longer than the link emulator's mtu lets pass")

#define DROP_ENUM(id, name, text) DROP_##id,
enum drop { DROP_TABLE(DROP_ENUM) DROP_N };
#undef DROP_ENUM

/* The name and the sentence of a reason; "?" for a number that is none. */
const char *drop_name(enum drop why);
const char *drop_text(enum drop why);

#endif
