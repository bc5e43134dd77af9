/* SPDX-License-Identifier: MPL-2.0 */
#include "media/ladder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is left to fill in depends on the line. */
#define RUNG(number, codec, packet, frame, rate)                                                   \
    { number, codec, packet, frame, rate, 0, MEDIA_REASON_BEGINS, true }

static const MediaVoiceRung VOICE[] = {
    RUNG(0, MEDIA_CODEC_CODEC2, 120, 60, 3200), RUNG(1, MEDIA_CODEC_OPUS, 120, 60, 6000),
    RUNG(2, MEDIA_CODEC_OPUS, 120, 60, 9000),   RUNG(3, MEDIA_CODEC_OPUS, 60, 60, 10000),
    RUNG(4, MEDIA_CODEC_OPUS, 60, 60, 14000),   RUNG(5, MEDIA_CODEC_OPUS, 40, 40, 18000),
    RUNG(6, MEDIA_CODEC_OPUS, 20, 20, 24000),   RUNG(7, MEDIA_CODEC_OPUS, 20, 20, 32000),
};
enum { VOICE_LEAST = 0, VOICE_NARROW = 1, VOICE_GOOD = 6, VOICE_BEST = COUNT(VOICE) - 1 };

/* A packet: IPv4 20, UDP 8, the link's datagram 21 (first byte 1, counter 4, tag 16). */
#define PACKET_BYTES 49
/* A message of it: chunk 3 (first byte, id 2), kind 1, frame header 10, tag 8; and when it is not
   the last of the packet, a length of 1 or 2. */
#define MESSAGE_BYTES 22
#define LENGTH_BYTES  2

/*
 * When the link sends copies of a voice (mesh/link/cover.c): so much is lost, or a little and the
 * round trip leaves no time for two repairs before the deadline; and each frame once takes no more
 * than a third of the line. More of them, in halves, while too much would be lost in spite of those
 * and all of it takes no more than a quarter. Where documents flow too it sends yet more of them.
 */
#define COPY_LOSS_PERMILLE   10
#define COPY_ALWAYS_PERMILLE 50
#define COPY_SHARE           3
#define COPY_MORE_SHARE      4
#define COPY_MISSED_PPM      2000
#define COPY_HALVES_MOST     8
#define DEADLINE_BASE_MS     200
#define DEADLINE_TRIPS       3

/* Of the line: what voice may take, and what its least may. */
#define SHARE       3
#define LEAST_NUM   9
#define LEAST_DENOM 10

/* So much random loss ruins more words than the coarser sound of Codec2 does. */
#define RUINED_PERMILLE 50

/* 32 kbit/s is for where nobody will miss it. */
#define VOICE_BEST_RATE_BPS 500000

/* A round trip beyond which 20 ms packets cannot be heard as quicker. */
#define RTT_LONG_MS 400

static uint32_t bits_in(uint32_t bytes, uint32_t packet_ms) {
    return (bytes * 8000 + packet_ms - 1) / packet_ms;
}

/* Whether a second repair would come after the deadline (mesh/overlay/live.c). */
static bool far_away(const MediaUplink *line, uint32_t packet_ms) {
    uint32_t deadline_ms = DEADLINE_BASE_MS + packet_ms * 5 / 2;
    return line->rtt_ms * (uint32_t)DEADLINE_TRIPS > deadline_ms;
}

static bool wants_copies(const MediaUplink *line, uint32_t packet_ms) {
    return line->loss_permille > COPY_ALWAYS_PERMILLE ||
           (line->loss_permille > COPY_LOSS_PERMILLE && far_away(line, packet_ms));
}

static bool copies_fit(const MediaUplink *line, uint32_t packet_ms, uint32_t payload) {
    uint32_t once_bps = bits_in(PACKET_BYTES + MESSAGE_BYTES + payload, packet_ms);
    return line->rate_bps == 0 || once_bps <= line->rate_bps / COPY_SHARE;
}

/* How often it is sent, in halves, and what is lost all the same. */
static unsigned copies_halves(const MediaUplink *line, uint32_t packet_ms, uint32_t payload,
                              uint64_t *ret_missed_ppm) {
    uint64_t loss_ppm = line->loss_permille * UINT64_C(1000);
    uint32_t message = MESSAGE_BYTES + payload;
    unsigned halves = 2;
    *ret_missed_ppm = loss_ppm;
    if (!wants_copies(line, packet_ms) || !copies_fit(line, packet_ms, payload)) {
        return halves;
    }
    halves = 4;
    *ret_missed_ppm = loss_ppm * loss_ppm / 1000000;
    while (halves<COPY_HALVES_MOST && * ret_missed_ppm> COPY_MISSED_PPM &&
           bits_in(PACKET_BYTES + message * (halves + 1) / 2, packet_ms) <=
               line->rate_bps / COPY_MORE_SHARE) {
        halves++;
        *ret_missed_ppm = *ret_missed_ppm * (halves % 2 == 0 ? loss_ppm : 1000000) / 1000000;
    }
    return halves;
}

uint32_t media_ladder_cost(const MediaUplink *line, uint32_t packet_ms, uint32_t payload) {
    uint32_t message = MESSAGE_BYTES + payload;
    uint32_t cost_bps = bits_in(PACKET_BYTES + message, packet_ms);
    uint64_t missed_ppm;
    unsigned halves = copies_halves(line, packet_ms, payload, &missed_ppm);
    cost_bps += (halves - 2) * bits_in(message + LENGTH_BYTES, packet_ms) / 2;
    missed_ppm = missed_ppm < 500000 ? missed_ppm : 500000;
    return far_away(line, packet_ms)
               ? cost_bps
               : (uint32_t)((uint64_t)cost_bps * 1000000 / (1000000 - missed_ppm));
}

static uint32_t payload_of(const MediaVoiceRung *rung) {
    return rung->bitrate_bps * rung->packet_ms / 8000;
}

static MediaVoiceRung rung_on(const MediaUplink *line, unsigned rung) {
    MediaVoiceRung found = VOICE[rung];
    found.wire_bps = media_ladder_cost(line, found.packet_ms, payload_of(&found));
    return found;
}

/* Whether Codec2 with copies is heard where the least of Opus, without them, loses too many words.
 */
static bool ruined(const MediaUplink *line) {
    const MediaVoiceRung *least = &VOICE[VOICE_LEAST];
    const MediaVoiceRung *narrow = &VOICE[VOICE_NARROW];
    return line->loss_permille > RUINED_PERMILLE && far_away(line, narrow->packet_ms) &&
           !copies_fit(line, narrow->packet_ms, payload_of(narrow)) &&
           copies_fit(line, least->packet_ms, payload_of(least));
}

static bool affordable(const MediaUplink *line, unsigned number) {
    MediaVoiceRung rung = rung_on(line, number);
    if (number <= VOICE_NARROW) {
        return rung.wire_bps <= (uint64_t)line->rate_bps * LEAST_NUM / LEAST_DENOM;
    }
    return rung.wire_bps <= line->rate_bps / SHARE &&
           !(line->rtt_ms >= RTT_LONG_MS && rung.packet_ms < 40) &&
           !(number == VOICE_BEST && line->rate_bps < VOICE_BEST_RATE_BPS);
}

/* A line somewhat worse than this one: what does on it too will do for a while. */
static MediaUplink worse(const MediaUplink *line, unsigned rung) {
    uint32_t loss = line->loss_permille * 3u / 2 + 5;
    uint32_t rtt = line->rtt_ms * 5u / 4;
    uint64_t sixteenths = rung <= VOICE_NARROW ? 13 : 12;
    return (MediaUplink){.rate_bps = (uint32_t)(line->rate_bps * sixteenths / 16),
                         .loss_permille = (uint16_t)(loss < 1000 ? loss : 1000),
                         .rtt_ms = (uint16_t)(rtt < UINT16_MAX ? rtt : UINT16_MAX)};
}

/* Whether to climb to that rung: it would do on a worse line too, and Codec2 is no better. */
static bool worth_climbing(const MediaUplink *line, unsigned rung) {
    MediaUplink less = worse(line, rung);
    MediaUplink lossy = {line->rate_bps, less.loss_permille, less.rtt_ms, 0};
    MediaUplink more = lossy;
    more.rate_bps = (uint32_t)((uint64_t)line->rate_bps * 16 / 13);
    return affordable(&less, rung) && !(rung == VOICE_NARROW && (ruined(&lossy) || ruined(&more)));
}

MediaVoiceRung media_ladder_voice_first(MediaProfile profile) {
    MediaUplink unknown = {0};
    return rung_on(&unknown, profile == MEDIA_PROFILE_AUTO ? VOICE_GOOD : VOICE_NARROW);
}

/* Why it is less: loss or distance, if without it the rung would still do. */
static MediaReason reason_down(const MediaUplink *line, unsigned rung) {
    MediaUplink dry = *line, near = *line;
    dry.loss_permille = 0;
    near.rtt_ms = 0;
    return affordable(&dry, rung)    ? MEDIA_REASON_LOSS
           : affordable(&near, rung) ? MEDIA_REASON_FAR
                                     : MEDIA_REASON_LINE;
}

static bool is_narrow(const MediaUplink *line, const MediaVoiceRung *rung, bool was) {
    return rung->wire_bps + (was ? rung->wire_bps / 8 : 0) > line->rate_bps;
}

MediaVoiceRung media_ladder_voice(const MediaUplink *line, const MediaVoiceRung *now) {
    unsigned before = now->rung < VOICE_BEST ? now->rung : VOICE_BEST;
    unsigned rung = before;
    bool was_narrow = now->reason == MEDIA_REASON_NARROW;
    if (line->rate_bps == 0) {
        return *now;
    }
    if (rung < VOICE_BEST && worth_climbing(line, rung + 1)) {
        rung++;
    }
    while (rung > VOICE_LEAST &&
           !(affordable(line, rung) && !(rung == VOICE_NARROW && ruined(line)))) {
        rung--;
    }
    MediaVoiceRung found = rung_on(line, rung);
    found.reason = is_narrow(line, &found, was_narrow) ? MEDIA_REASON_NARROW
                   : rung < before                     ? reason_down(line, before)
                   : rung > before                     ? MEDIA_REASON_ROOM
                   : was_narrow                        ? MEDIA_REASON_LINE
                                                       : now->reason;
    return found;
}
