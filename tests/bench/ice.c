/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `bench-ice`: libnice alone, with the settings that the node gives it, to be measured
 * beside the node. It owns one agent. It never encrypts or retries: it gathers, exchanges offers by
 * stdin and stdout, connects, and the first datagram ends it.
 *
 * stdout: "offer TEXT", then "first MICROSECONDS" from the start of gathering to the first datagram
 * received. stdin: the other's offer.
 */
#include <nice/agent.h>
#include <stdio.h>
#include <string.h>

#define SEND_MS   10
#define LINE_SIZE 4096
#define COMPONENT 1
#define GIVE_UP_S 20
#define LEAVE_MS  200 /* the other end may still be waiting for one of ours */
#define DATAGRAM  "\xc0maillon"

typedef struct {
    NiceAgent *agent;
    guint stream;
    GMainLoop *loop;
    gint64 begun_us;
    gint64 first_us; /* 0: none received */
} Bench;

static gboolean leave(gpointer data) {
    g_main_loop_quit(((Bench *)data)->loop);
    return G_SOURCE_REMOVE;
}

static void received(NiceAgent *agent, guint stream, guint component, guint length, gchar *bytes,
                     gpointer data) {
    Bench *bench = data;

    if (bench->first_us)
        return;
    bench->first_us = g_get_monotonic_time();
    printf("first %" G_GINT64_FORMAT "\n", bench->first_us - bench->begun_us);
    fflush(stdout);
    g_timeout_add(LEAVE_MS, leave, bench);
}

static gboolean send_again(gpointer data) {
    Bench *bench = data;

    nice_agent_send(bench->agent, bench->stream, COMPONENT, sizeof DATAGRAM - 1, DATAGRAM);
    return G_SOURCE_CONTINUE;
}

static void state_changed(NiceAgent *agent, guint stream, guint component, guint state,
                          gpointer data) {
    if (state == NICE_COMPONENT_STATE_CONNECTED) {
        send_again(data);
        g_timeout_add(SEND_MS, send_again, data);
    }
}

/* One line for the whole offer: the agent's own text has several. */
static void gathered(NiceAgent *agent, guint stream, gpointer data) {
    char *offer = nice_agent_generate_local_sdp(agent);

    printf("offer %s\n", g_strdelimit(offer, "\n", ';'));
    fflush(stdout);
    g_free(offer);
}

static gboolean read_remote(GIOChannel *channel, GIOCondition condition, gpointer data) {
    Bench *bench = data;
    char line[LINE_SIZE];

    if (!fgets(line, sizeof line, stdin) ||
        nice_agent_parse_remote_sdp(bench->agent, g_strdelimit(line, ";", '\n')) <= 0) {
        fprintf(stderr, "no offer that can be read\n");
        g_main_loop_quit(bench->loop);
    }
    return G_SOURCE_REMOVE;
}

static NiceAgent *create_agent(gboolean controlling) {
    NiceAgent *agent = nice_agent_new(NULL, NICE_COMPATIBILITY_RFC5245);

    g_object_set(agent, "controlling-mode", controlling, "upnp", FALSE, "ice-tcp", FALSE,
                 "stun-max-retransmissions", 7, "idle-timeout", 15000, NULL);
    return agent;
}

int main(int argc, char **argv) {
    Bench bench = {0};
    GIOChannel *input = g_io_channel_unix_new(0);

    if (argc != 2 || (strcmp(argv[1], "controlling") != 0 && strcmp(argv[1], "controlled") != 0)) {
        fprintf(stderr, "usage: bench-ice controlling|controlled\n");
        return 2;
    }
    bench.loop = g_main_loop_new(NULL, FALSE);
    bench.begun_us = g_get_monotonic_time();
    bench.agent = create_agent(strcmp(argv[1], "controlling") == 0);
    bench.stream = nice_agent_add_stream(bench.agent, 1);
    nice_agent_set_stream_name(bench.agent, bench.stream, "application");
    g_signal_connect(bench.agent, "candidate-gathering-done", G_CALLBACK(gathered), &bench);
    g_signal_connect(bench.agent, "component-state-changed", G_CALLBACK(state_changed), &bench);
    nice_agent_attach_recv(bench.agent, bench.stream, COMPONENT, NULL, received, &bench);
    nice_agent_gather_candidates(bench.agent, bench.stream);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP, read_remote, &bench);
    g_timeout_add_seconds(GIVE_UP_S, leave, &bench);
    g_main_loop_run(bench.loop);
    g_object_unref(bench.agent);
    g_main_loop_unref(bench.loop);
    g_io_channel_unref(input);
    return bench.first_us ? 0 : 1;
}
