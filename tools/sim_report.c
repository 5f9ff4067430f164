/* What `tapir sim` tells: a table or JSON of the flows, of the wire and of fairness;
 * and a row of CSV for each flow and interval, whose columns have the names of `ss
 * -ti`. */
#include "sim.h"

#include <linux/tcp.h>
#include <netinet/in.h>

#include "options.h"

void sim_csv_header(FILE *csv)
{
    fputs("time,flow,cc,cwnd,ssthresh,rtt_ms,rttvar_ms,rto_ms,unacked,lost,sacked,"
          "retrans,bytes_acked,bytes_received,notsent\n",
          csv);
}

void sim_csv_row(struct simulation *run, const struct sim_flow *f)
{
    struct tcp_info i = { 0 };
    socklen_t len = sizeof i, cc_len = SIM_CC_NAME;
    char cc[SIM_CC_NAME + 1] = "";

    if (f->fd < 0 || tapir_getsockopt(f->fd, IPPROTO_TCP, TCP_INFO, &i, &len) < 0)
        return;
    tapir_getsockopt(f->fd, IPPROTO_TCP, TCP_CONGESTION, cc, &cc_len);
    fprintf(run->csv, "%.6f,%u,%s,%u,%u,%.3f,%.3f,%.3f,%u,%u,%u,%u,%llu,%llu,%u\n",
            (double)tapir_now() / 1e6, f->i + 1, cc, i.tcpi_snd_cwnd,
            i.tcpi_snd_ssthresh, i.tcpi_rtt / 1e3, i.tcpi_rttvar / 1e3,
            i.tcpi_rto / 1e3, i.tcpi_unacked, i.tcpi_lost, i.tcpi_sacked,
            i.tcpi_total_retrans, (unsigned long long)i.tcpi_bytes_acked,
            (unsigned long long)f->received, i.tcpi_notsent_bytes);
}

/* --- figures --- */

static double seconds_of(const struct sim_flow *f)
{
    int64_t end = f->run->size ? f->end : sim_flow_until(f->run, f);

    return (double)(end - f->start) / 1e6;
}

/* Bits a second of text that the reader got. */
static double goodput(const struct sim_flow *f)
{
    double seconds = seconds_of(f);

    return f->received && seconds > 0 ? (double)f->received * 8 / seconds : 0;
}

/* Jain's index: 1 when all get the same, 1/n when one gets all. */
static double fairness(const struct simulation *run)
{
    double sum = 0, squares = 0;

    for (unsigned i = 0; i < run->n; i++) {
        double x = goodput(&run->flow[i]);
        sum += x;
        squares += x * x;
    }
    return squares > 0 ? sum * sum / ((double)run->n * squares) : 0;
}

static double total(const struct simulation *run)
{
    double sum = 0;

    for (unsigned i = 0; i < run->n; i++)
        sum += goodput(&run->flow[i]);
    return sum;
}

/* --- text --- */

static void flow_text(const struct sim_flow *f)
{
    printf("%4u  %-8s %8.3f %9.3f %12llu %9.3f %8llu %8u %8.2f %8.2f%s%s\n", f->i + 1,
           f->cc_name, (double)f->start / 1e6, seconds_of(f),
           (unsigned long long)f->received, goodput(f) / 1e6,
           (unsigned long long)f->delivered_segs, f->retrans, f->min_rtt / 1e3,
           f->rtt / 1e3, f->error[0] ? "  " : "", f->error);
}

static void link_text(const char *way, const struct sim_link *l)
{
    printf("%s  %llu frames, %llu bytes offered; %llu lost, %llu delivered\n", way,
           (unsigned long long)l->frames, (unsigned long long)l->bytes,
           (unsigned long long)l->lost, (unsigned long long)l->delivered);
}

static void report_text(const struct simulation *run, const struct sim_link *ab,
                        const struct sim_link *ba)
{
    printf("%s, netem '%s', seed %llu, %.3f s of virtual time\n",
           run->reverse ? "b to a" : "a to b", run->netem,
           (unsigned long long)run->seed, (double)sim_now(run->sim) / 1e6);
    printf("flow  cc          start   seconds        bytes    Mbit/s     segs  retrans "
           " min_rtt      rtt\n");
    for (unsigned i = 0; i < run->n; i++)
        flow_text(&run->flow[i]);
    if (run->n > 1)
        printf("total %.3f Mbit/s, Jain's index %.4f\n", total(run) / 1e6,
               fairness(run));
    link_text("a>b", ab);
    link_text("b>a", ba);
}

/* --- JSON --- */

static void flow_json(const struct sim_flow *f)
{
    printf("%s{\"flow\":%u,\"cc\":\"%s\",\"start\":%.6f,\"seconds\":%.6f,"
           "\"bytes\":%llu,\"bits_per_second\":%.0f,\"segs\":%llu,"
           "\"retransmits\":%u,\"min_rtt_us\":%u,\"rtt_us\":%u,\"error\":",
           f->i ? "," : "", f->i + 1, f->cc_name, (double)f->start / 1e6, seconds_of(f),
           (unsigned long long)f->received, goodput(f),
           (unsigned long long)f->delivered_segs, f->retrans, f->min_rtt, f->rtt);
    print_json_string(f->error);
    putchar('}');
}

static void link_json(const char *way, const struct sim_link *l)
{
    printf(",\"%s\":{\"frames\":%llu,\"bytes\":%llu,\"lost\":%llu,\"delivered\":%llu}",
           way, (unsigned long long)l->frames, (unsigned long long)l->bytes,
           (unsigned long long)l->lost, (unsigned long long)l->delivered);
}

static void report_json(const struct simulation *run, const struct sim_link *ab,
                        const struct sim_link *ba)
{
    printf("{\"netem\":");
    print_json_string(run->netem);
    printf(",\"seed\":%llu,\"reverse\":%s,\"time\":%.6f,\"flows\":[",
           (unsigned long long)run->seed, run->reverse ? "true" : "false",
           (double)sim_now(run->sim) / 1e6);
    for (unsigned i = 0; i < run->n; i++)
        flow_json(&run->flow[i]);
    printf("],\"bits_per_second\":%.0f,\"jain\":%.6f", total(run), fairness(run));
    link_json("a_to_b", ab);
    link_json("b_to_a", ba);
    puts("}");
}

void sim_report(const struct simulation *run)
{
    struct sim_link ab, ba;

    sim_link_stats(run->a, &ab);
    sim_link_stats(run->b, &ba);
    if (run->json)
        report_json(run, &ab, &ba);
    else
        report_text(run, &ab, &ba);
}
