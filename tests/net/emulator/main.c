/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `emulator`: a bad line between two interfaces.
 * Owns the event loop, the clock and both ports.
 * Never models anything itself: link.c does, in whatever time it is told.
 */
#define _GNU_SOURCE /* accept4 */
#include "tests/net/emulator/control.h"
#include "tests/net/emulator/link.h"
#include "tests/net/emulator/port.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX_BYTES = 65536 + 64, LINES_MAX = 128, EVENTS_MAX = 8 };

typedef enum {
    SOURCE_PORT_A,
    SOURCE_PORT_B,
    SOURCE_TIMER,
    SOURCE_SIGNAL,
    SOURCE_STDIN,
    SOURCE_LISTENER,
    SOURCE_CLIENT,
} Source;

typedef struct {
    const char *interface[2];
    const char *socket_path;
    const char *log_path;
    const char *line[LINES_MAX]; /* commands given before the start */
    unsigned line_count;
    uint64_t seed;
    EmulatorSettings settings;
} Options;

typedef struct {
    EmulatorLink link;
    EmulatorPort port[2];
    EmulatorControl input;
    EmulatorControl client;
    FILE *log;
    int epoll;
    int timer;
    int signals;
    int listener;
    EmulatorOutcome outcome;
    EmulatorChecksum checksum;
    uint8_t buffer[FRAME_MAX_BYTES];
} Emulator;

static const char usage[] =
    "usage: emulator --a IFACE --b IFACE [--profile W1..W5] [--seed N]\n"
    "                [--set [a>b.|b>a.]KEY=VALUE]... [--do COMMAND]...\n"
    "                [--control SOCKET] [--log FILE.csv]\n"
    "Keys: rate (bit/s of IP bytes) delay jitter (ms) jitter_order=kept|free loss\n"
    "      burst_share burst_ms|burst_frames burst_loss fade=common|own reorder reorder_ms\n"
    "      duplicate queue mtu (bytes). Numbers may end in k, M or %.\n"
    "Commands, one a line, from stdin or the socket: KEY [a>b|b>a] VALUE, down, up,\n"
    "      down S..S every S, at S COMMAND, stats, reset, quit.\n";

static uint64_t clock_now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool options_add_line(Options *options, const char *line) {
    if (options->line_count == LINES_MAX)
        return false;
    options->line[options->line_count++] = line;
    return true;
}

static bool options_take(Options *options, int letter, const char *value) {
    const char *schedule = "";
    switch (letter) {
    case 'a':
    case 'b':
        options->interface[letter - 'a'] = value;
        return true;
    case 'p':
        if (!emulator_settings_profile(value, &options->settings, &schedule))
            return false;
        return *schedule == '\0' || options_add_line(options, schedule);
    case 's':
        options->seed = strtoull(value, NULL, 0);
        return true;
    case 'd':
        return options_add_line(options, value);
    case 'c':
        options->socket_path = value;
        return true;
    case 'l':
        options->log_path = value;
        return true;
    default:
        return false;
    }
}

static bool options_parse(Options *options, int count, char **words) {
    static const struct option known[] = {
        {"a", required_argument, NULL, 'a'},
        {"b", required_argument, NULL, 'b'},
        {"profile", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 's'},
        {"set", required_argument, NULL, 'd'},
        {"do", required_argument, NULL, 'd'},
        {"control", required_argument, NULL, 'c'},
        {"log", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    int letter;
    *options = (Options){.seed = 1, .settings = emulator_settings_perfect()};
    while ((letter = getopt_long(count, words, "", known, NULL)) != -1) {
        if (!options_take(options, letter, optarg))
            return false;
    }
    return optind == count && options->interface[0] != NULL && options->interface[1] != NULL;
}

static bool emulator_watch(Emulator *emulator, int descriptor, Source source) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = source};
    /* A file or /dev/null as standard input cannot be watched: then it says nothing. */
    return epoll_ctl(emulator->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 || errno == EPERM;
}

static bool emulator_open_log(Emulator *emulator, const char *path) {
    if (path == NULL)
        return true;
    emulator->log = fopen(path, "w");
    if (emulator->log == NULL) {
        fprintf(stderr, "emulator: %s: %s\n", path, strerror(errno));
        return false;
    }
    fputs("arrived_s,direction,number,ip_bytes,fate,queue_ms,total_ms\n", emulator->log);
    emulator->link.lane[0].log = emulator->link.lane[1].log = emulator->log;
    return true;
}

/* Commands given on the command line; one that is wrong is a usage error. */
static bool emulator_obey_lines(Emulator *emulator, const Options *options, uint64_t now_us) {
    for (unsigned i = 0; i < options->line_count; i++) {
        char answer[256] = "";
        FILE *out = fmemopen(answer, sizeof answer, "w");
        if (out == NULL)
            return false;
        emulator_link_command(&emulator->link, options->line[i], now_us, out);
        fclose(out);
        if (strncmp(answer, "error", 5) == 0) {
            fprintf(stderr, "emulator: %s: %s", options->line[i], answer);
            return false;
        }
    }
    return true;
}

static bool emulator_open(Emulator *emulator, const Options *options) {
    sigset_t wanted;
    const EmulatorSettings settings[2] = {options->settings, options->settings};
    uint64_t now_us = clock_now_us();
    *emulator = (Emulator){.listener = -1, .client = {.descriptor = -1}};
    emulator_link_init(&emulator->link, settings, options->seed, now_us);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    signal(SIGPIPE, SIG_IGN);
    emulator->epoll = epoll_create1(EPOLL_CLOEXEC);
    emulator->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    emulator->signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    emulator_control_init(&emulator->input, STDIN_FILENO, stdout);
    if (!emulator_open_log(emulator, options->log_path) ||
        !emulator_obey_lines(emulator, options, now_us))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        if (!emulator_port_open(&emulator->port[i], options->interface[i]) ||
            !emulator_watch(emulator, emulator->port[i].descriptor, SOURCE_PORT_A + i))
            return false;
    }
    if (options->socket_path != NULL) {
        emulator->listener = emulator_control_listen(options->socket_path);
        if (emulator->listener < 0 ||
            !emulator_watch(emulator, emulator->listener, SOURCE_LISTENER))
            return false;
    }
    return emulator_watch(emulator, emulator->timer, SOURCE_TIMER) &&
           emulator_watch(emulator, emulator->signals, SOURCE_SIGNAL) &&
           emulator_watch(emulator, STDIN_FILENO, SOURCE_STDIN);
}

static void emulator_close(Emulator *emulator) {
    emulator_port_close(&emulator->port[0]);
    emulator_port_close(&emulator->port[1]);
    emulator_control_finish(&emulator->client);
    emulator_link_finish(&emulator->link);
    if (emulator->log != NULL)
        fclose(emulator->log);
}

static void emulator_receive(Emulator *emulator, unsigned end) {
    size_t length;
    EmulatorChecksum checksum;
    EmulatorPort *port = &emulator->port[end];
    while ((length = emulator_port_receive(port, emulator->buffer, sizeof emulator->buffer,
                                           &checksum)) > 0) {
        uint64_t now_us = clock_now_us();
        emulator_link_advance(&emulator->link, now_us);
        emulator_lane_accept(&emulator->link.lane[end], emulator->buffer, length, now_us);
        if (checksum == EMULATOR_CHECKSUM_MISSING &&
            emulator->checksum == EMULATOR_CHECKSUM_READY) {
            emulator->checksum = checksum;
            fprintf(stderr,
                    "emulator: frames from %s carry no checksum: turn offloads off at the "
                    "other end of the pair\n",
                    port->name);
        }
    }
}

static void emulator_control(Emulator *emulator, EmulatorControl *control) {
    char line[256];
    if (!emulator_control_read(control))
        return;
    while (emulator_control_line(control, line, sizeof line)) {
        if (*line == '\0')
            continue;
        emulator->outcome |=
            emulator_link_command(&emulator->link, line, clock_now_us(), control->answers);
        fflush(control->answers);
    }
}

static void emulator_accept_client(Emulator *emulator) {
    int descriptor = accept4(emulator->listener, NULL, NULL, SOCK_CLOEXEC);
    if (descriptor < 0)
        return;
    emulator_control_finish(&emulator->client); /* the newest client is the one that counts */
    FILE *answers = fdopen(dup(descriptor), "w");
    if (answers == NULL || !emulator_watch(emulator, descriptor, SOURCE_CLIENT)) {
        close(descriptor);
        return;
    }
    emulator_control_init(&emulator->client, descriptor, answers);
}

static void emulator_handle(Emulator *emulator, Source source) {
    uint64_t expirations;
    switch (source) {
    case SOURCE_PORT_A:
    case SOURCE_PORT_B:
        emulator_receive(emulator, source - SOURCE_PORT_A);
        break;
    case SOURCE_TIMER:
        if (read(emulator->timer, &expirations, sizeof expirations) < 0)
            break; /* armed anew in between: nothing lost */
        break;
    case SOURCE_SIGNAL:
        emulator->outcome = EMULATOR_OUTCOME_QUIT;
        break;
    case SOURCE_STDIN:
        emulator_control(emulator, &emulator->input);
        break;
    case SOURCE_LISTENER:
        emulator_accept_client(emulator);
        break;
    case SOURCE_CLIENT:
        emulator_control(emulator, &emulator->client);
        break;
    }
}

/* Plays the link up to now and puts on the far port what has landed. */
static void emulator_play(Emulator *emulator) {
    uint64_t now_us = clock_now_us();
    EmulatorFrame *frame;
    emulator_link_advance(&emulator->link, now_us);
    for (unsigned end = 0; end < 2; end++) {
        while ((frame = emulator_lane_land(&emulator->link.lane[end], now_us)) != NULL) {
            emulator_port_send(&emulator->port[1 - end], frame->bytes, frame->length);
            emulator_frame_destroy(frame);
        }
    }
}

static void emulator_arm(Emulator *emulator) {
    uint64_t deadline_us = emulator_link_deadline_us(&emulator->link);
    struct itimerspec when = {0};
    if (deadline_us != UINT64_MAX) {
        when.it_value.tv_sec = (time_t)(deadline_us / 1000000);
        when.it_value.tv_nsec = (long)(deadline_us % 1000000 * 1000);
        if (deadline_us == 0)
            when.it_value.tv_nsec = 1; /* zero would disarm */
    }
    timerfd_settime(emulator->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void emulator_run(Emulator *emulator) {
    struct epoll_event events[EVENTS_MAX];
    while (emulator->outcome == EMULATOR_OUTCOME_GO_ON) {
        emulator_play(emulator);
        emulator_arm(emulator);
        int count = epoll_wait(emulator->epoll, events, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR)
            return;
        for (int i = 0; i < count; i++)
            emulator_handle(emulator, events[i].data.u32);
    }
}

int main(int count, char **words) {
    static Emulator emulator;
    Options options;
    if (!options_parse(&options, count, words)) {
        fputs(usage, stderr);
        return 2;
    }
    if (!emulator_open(&emulator, &options)) {
        emulator_close(&emulator);
        return 1;
    }
    prctl(PR_SET_TIMERSLACK, 1UL);
    puts("ready");
    fflush(stdout);
    emulator_run(&emulator);
    emulator_link_print(&emulator.link, stdout, clock_now_us());
    fflush(stdout);
    emulator_close(&emulator);
    return 0;
}
