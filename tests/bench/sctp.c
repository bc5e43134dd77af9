/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `bench-sctp`: SCTP over UDP with a document on one stream and votes on another, to be
 * measured beside our link. It owns one association. It never tunes what usrsctp does by itself,
 * but that votes come before documents wherever usrsctp lets one choose.
 *
 *   bench-sctp receive              stdout: "ready", then "vote NUMBER MILLISECONDS", "had BYTES"
 *   bench-sctp send ADDRESS BYTES SECONDS   a document, and a vote every two seconds for so long
 *                                   stdout: "linked", "begun S", "sent NUMBER S"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <usrsctp.h>

#define UDP_PORT     9899 /* RFC 6951 */
#define SCTP_PORT    5000
#define CHUNK_SIZE   1100 /* one to a packet */
#define VOTE_SIZE    300
#define LOOK_MS      5
#define VOTE_MS      2000
#define STREAMS      2
#define BUFFER_BYTES (128 << 10) /* more than any of our lines holds */

enum { STREAM_DOCUMENT, STREAM_VOTE };

typedef struct {
    double sent_s;
    unsigned number;
} Vote;

static double now_s(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void say(const char *what, unsigned long long number, double value) {
    printf("%s %llu %.6f\n", what, number, value);
    fflush(stdout);
}

static struct socket *open_socket(void) {
    struct socket *socket = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    struct sctp_udpencaps encapsulated = {.sue_port = htons(UDP_PORT)};
    struct sctp_initmsg streams = {.sinit_num_ostreams = STREAMS, .sinit_max_instreams = STREAMS};
    int on = 1, bytes = BUFFER_BYTES;

    if (socket == NULL)
        return NULL;
    encapsulated.sue_address.ss_family = AF_INET;
    usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, &encapsulated,
                       sizeof encapsulated);
    usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_INITMSG, &streams, sizeof streams);
    usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
    usrsctp_setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return socket;
}

/* Without a scheduler that knows priorities a vote would take turns with the document. */
static void prefer_votes(struct socket *socket) {
    struct sctp_assoc_value scheduler = {.assoc_value = SCTP_SS_PRIORITY};

    usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_PLUGGABLE_SS, &scheduler, sizeof scheduler);
    for (uint16_t stream = 0; stream < STREAMS; stream++) {
        struct sctp_stream_value value = {.stream_id = stream, .stream_value = STREAMS - stream};
        usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_SS_VALUE, &value, sizeof value);
    }
}

static int receive(void) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(SCTP_PORT)};
    struct socket *listener = open_socket(), *peer;
    char buffer[65536];
    unsigned long long had = 0;
    double told_s = 0;

    if (listener == NULL || usrsctp_bind(listener, (struct sockaddr *)&any, sizeof any) < 0 ||
        usrsctp_listen(listener, 1) < 0)
        return 1;
    puts("ready");
    fflush(stdout);
    peer = usrsctp_accept(listener, NULL, NULL);
    while (peer != NULL) {
        socklen_t info_size = sizeof(struct sctp_rcvinfo);
        unsigned type = 0;
        struct sctp_rcvinfo info = {0};
        int flags = 0;
        ssize_t length = usrsctp_recvv(peer, buffer, sizeof buffer, NULL, NULL, &info, &info_size,
                                       &type, &flags);
        Vote vote;
        if (length <= 0)
            break;
        if (length == VOTE_SIZE) {
            memcpy(&vote, buffer, sizeof vote);
            say("vote", vote.number, (now_s() - vote.sent_s) * 1000);
            continue;
        }
        had += (unsigned long long)length;
        if (now_s() - told_s > 0.2 || length < CHUNK_SIZE) {
            told_s = now_s();
            say("had", had, told_s);
        }
    }
    return 0;
}

typedef enum {
    SENT,
    FULL, /* of what is on its way, and of what waits */
    BROKEN,
} Outcome;

static Outcome send_on(struct socket *socket, const void *data, size_t size, uint16_t stream) {
    struct sctp_sndinfo info = {.snd_sid = stream};

    if (usrsctp_sendv(socket, data, size, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) >= 0)
        return SENT;
    return errno == EWOULDBLOCK || errno == EAGAIN ? FULL : BROKEN;
}

/* A vote counts from when it is due; it is told by its size. */
static Outcome send_vote(struct socket *socket, const Vote *vote) {
    char bytes[VOTE_SIZE] = {0};

    memcpy(bytes, vote, sizeof *vote);
    return send_on(socket, bytes, VOTE_SIZE, STREAM_VOTE);
}

static Outcome send_document(struct socket *socket, unsigned long long *left) {
    char chunk[CHUNK_SIZE] = {1};
    Outcome outcome = SENT;

    while (*left > 0 && outcome == SENT) {
        size_t size = *left < CHUNK_SIZE ? (size_t)*left : CHUNK_SIZE;
        if (size == VOTE_SIZE)
            size--;
        outcome = send_on(socket, chunk, size, STREAM_DOCUMENT);
        if (outcome == SENT)
            *left -= size;
    }
    return outcome;
}

static void send_all(struct socket *socket, unsigned long long left, double seconds) {
    double begun_s = now_s();
    Vote vote = {.sent_s = begun_s};

    say("begun", 0, begun_s);
    while (left > 0 || vote.sent_s < begun_s + seconds) {
        while (vote.sent_s <= now_s() && vote.sent_s < begun_s + seconds) {
            Outcome outcome = send_vote(socket, &vote);
            if (outcome == BROKEN)
                return;
            if (outcome == FULL)
                break;
            say("sent", vote.number++, vote.sent_s);
            vote.sent_s += VOTE_MS / 1000.0;
        }
        if (send_document(socket, &left) == BROKEN)
            return;
        poll(NULL, 0, LOOK_MS);
    }
}

static int send_to(const char *address, unsigned long long bytes, double seconds) {
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(SCTP_PORT)};
    struct socket *socket = open_socket();

    if (socket == NULL || inet_pton(AF_INET, address, &there.sin_addr) != 1 ||
        usrsctp_connect(socket, (struct sockaddr *)&there, sizeof there) < 0) {
        perror("bench-sctp");
        return 1;
    }
    prefer_votes(socket);
    usrsctp_set_non_blocking(socket, 1);
    puts("linked");
    fflush(stdout);
    send_all(socket, bytes, seconds);
    for (;;) /* until the bench has seen all it waits for */
        poll(NULL, 0, -1);
}

int main(int count, char **words) {
    usrsctp_init(UDP_PORT, NULL, NULL);
    usrsctp_sysctl_set_sctp_blackhole(2);
    if (count == 2 && strcmp(words[1], "receive") == 0)
        return receive();
    if (count == 5 && strcmp(words[1], "send") == 0)
        return send_to(words[2], strtoull(words[3], NULL, 10), strtod(words[4], NULL));
    fprintf(stderr, "usage: bench-sctp receive | bench-sctp send ADDRESS BYTES SECONDS\n");
    return 2;
}
