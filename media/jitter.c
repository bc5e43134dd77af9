/* SPDX-License-Identifier: MPL-2.0 */
#include "media/jitter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "media/delay.h"
#include "media/protocol.h"

/* Numbers whose fate is remembered, to tell the late from the duplicate; a multiple of 64. */
#define HISTORY 1024

/* A frame further than this from the next one means that the speaker began again. */
#define NUMBER_JUMP_MAX 65536
#define TRANSIT_JUMP_US 3000000

/* Sound is mixed 10 ms at a time, so a frame that begins within them is asked for before. */
#define LEAD_US 10000

/* How long sound is invented before silence is kinder (Opus itself has faded by then). */
#define CONCEAL_MS_MAX 120

/* How long a frame's transit counts for the delay: of voice 2 s at 20 ms, and up to 4 s of longer
   frames; of pictures, which may be rare, a time. */
#define VOICE_MS       4000
#define VOICE_MOST     100
#define PICTURES_MS    4000
#define PICTURES_LEAST 8

/* Media times this near are one line: clocks are rounded to the millisecond. */
#define SLACK_MS 5

/* How loud a frame may be to be skipped or stretched unheard, -dBov, and how far the delay has to
   be off for that. */
#define QUIET_LEVEL    50
#define SKIP_MARGIN_US 10000

/* A voice that is never quiet is shortened audibly, but only when it runs far behind, and rarely.
 */
#define LOUD_EXCESS_US   100000
#define LOUD_INTERVAL_MS 500

/* A pause ends with this frame: later than this after it was due it is not worth playing. */
#define RESUME_LATE_US 100000

typedef struct {
    int64_t number; /* unwrapped */
    int64_t media_time_ms;
    uint64_t arrival_us;
    MediaJitterFrame frame;
} Entry;

typedef enum {
    STATE_EMPTY,  /* nothing ever came */
    STATE_FRESH,  /* frames came, none was played: an earlier one may still be the first */
    STATE_PAUSED, /* nothing plays: the next frame starts when its delay has passed */
    STATE_PLAYING,
} State;

struct MediaJitter {
    MediaJitterMode mode;
    MediaJitterFree free_payload;
    State state;
    int64_t next_number; /* the first one not accounted for */
    int64_t played_number;
    int64_t position_ms; /* the media time played next, while PLAYING */
    int64_t newest_ms;   /* media time of the newest frame, for unwrapping */
    uint16_t duration_ms;
    uint32_t concealed_ms; /* in a row */
    int64_t loud_skip_ms;  /* media time of the last frame skipped though it was heard */
    bool pause_expected;   /* the last frame played announced a silence */
    bool restart_seen;     /* the last frame put was implausible, and was that number: */
    uint32_t restart_number;
    MediaDelay delay;
    uint64_t missed[HISTORY / 64]; /* numbers accounted as lost that may still come late */
    MediaJitterCounters counters;
    unsigned count;
    Entry entries[MEDIA_JITTER_FRAMES_MAX]; /* by number */
};

MediaJitter *media_jitter_create(MediaJitterMode mode, MediaJitterFree free_payload) {
    MediaJitter *jitter = calloc(1, sizeof(*jitter));
    assert(jitter != NULL);
    jitter->mode = mode;
    jitter->free_payload = free_payload;
    return jitter;
}

static void payload_free(const MediaJitter *jitter, void *payload) {
    if (jitter->free_payload != NULL && payload != NULL) {
        jitter->free_payload(payload);
    }
}

void media_jitter_destroy(MediaJitter *jitter) {
    if (jitter == NULL) {
        return;
    }
    for (unsigned i = 0; i < jitter->count; i++) {
        payload_free(jitter, jitter->entries[i].frame.payload);
    }
    free(jitter);
}

static void missed_set(MediaJitter *jitter, int64_t number, bool missed) {
    uint64_t slot = (uint64_t)number % HISTORY;
    uint64_t bit = UINT64_C(1) << (slot % 64);
    if (missed) {
        jitter->missed[slot / 64] |= bit;
    } else {
        jitter->missed[slot / 64] &= ~bit;
    }
}

static bool missed_get(const MediaJitter *jitter, int64_t number) {
    uint64_t slot = (uint64_t)number % HISTORY;
    return (jitter->missed[slot / 64] >> (slot % 64)) & 1;
}

/* Everything before `number` that was not accounted for is lost, until it comes late. */
static void account_missing(MediaJitter *jitter, int64_t number) {
    while (jitter->next_number < number) {
        missed_set(jitter, jitter->next_number, true);
        jitter->counters.lost++;
        jitter->next_number++;
    }
}

static void account_played(MediaJitter *jitter, const Entry *entry) {
    account_missing(jitter, entry->number);
    missed_set(jitter, entry->number, false);
    jitter->counters.in_time++;
    jitter->next_number = entry->number + 1;
}

static Entry remove_first(MediaJitter *jitter) {
    assert(jitter->count > 0);
    Entry first = jitter->entries[0];
    jitter->count--;
    memmove(jitter->entries, jitter->entries + 1, jitter->count * sizeof(Entry));
    return first;
}

/* Whatever is still here was present; it is only that nobody will ever ask for it. */
static void flush(MediaJitter *jitter) {
    while (jitter->count > 0) {
        Entry entry = remove_first(jitter);
        account_played(jitter, &entry);
        payload_free(jitter, entry.frame.payload);
    }
}

/* Begins again at this frame, as after the speaker's restart. */
static void begin(MediaJitter *jitter, const MediaJitterFrame *frame) {
    flush(jitter);
    media_delay_reset(&jitter->delay, jitter->mode == MEDIA_JITTER_CONTINUOUS ? LEAD_US : 0);
    memset(jitter->missed, 0, sizeof(jitter->missed));
    /* Unwrapped values start far above zero, so that a little before the first is no underflow. */
    jitter->next_number = (INT64_C(1) << 40) + frame->number;
    jitter->newest_ms = (INT64_C(1) << 40) + frame->media_time_ms;
    jitter->state = STATE_FRESH;
    jitter->pause_expected = false;
    jitter->concealed_ms = 0;
    jitter->loud_skip_ms = 0;
}

static int64_t unwrap(uint32_t value, int64_t reference) {
    return reference + (int32_t)(value - (uint32_t)reference);
}

/* When a frame is whole: of a voice when its last sound was made, so that its transit does not
 * depend on how long it is; a picture is whole at once. */
static int64_t whole_us(const MediaJitter *jitter, int64_t media_time_ms,
                        const MediaJitterFrame *frame) {
    bool lasts = jitter->mode == MEDIA_JITTER_CONTINUOUS;
    return (media_time_ms + (lasts ? frame->duration_ms : 0)) * 1000;
}

static bool plausible(MediaJitter *jitter, const MediaJitterFrame *frame, int64_t number,
                      int64_t media_time_ms, uint64_t arrival_us) {
    int64_t distance = number - jitter->next_number;
    int64_t transit_us = (int64_t)arrival_us - whole_us(jitter, media_time_ms, frame);
    int64_t jump_us = media_delay_excess_us(&jitter->delay, transit_us);
    if (distance < NUMBER_JUMP_MAX && distance > -HISTORY && jump_us < TRANSIT_JUMP_US &&
        jump_us > -TRANSIT_JUMP_US) {
        jitter->restart_seen = false;
        return true;
    }
    /* One stray frame is dropped; two in a row are a speaker who began again. */
    bool confirmed = jitter->restart_seen && frame->number - jitter->restart_number - 1 < 8;
    jitter->restart_seen = !confirmed;
    jitter->restart_number = frame->number;
    if (confirmed) {
        begin(jitter, frame);
    }
    return confirmed;
}

/* False for a number whose fate is sealed. */
static bool put_wanted(MediaJitter *jitter, int64_t number) {
    if (jitter->state == STATE_FRESH && number < jitter->next_number) {
        jitter->next_number = number;
    }
    if (number < jitter->next_number) {
        if (missed_get(jitter, number)) {
            missed_set(jitter, number, false);
            jitter->counters.lost--;
            jitter->counters.late++;
        } else {
            jitter->counters.duplicates++;
        }
        return false;
    }
    return true;
}

static bool insert(MediaJitter *jitter, const Entry *entry) {
    unsigned at = jitter->count;
    while (at > 0 && jitter->entries[at - 1].number > entry->number) {
        at--;
    }
    if (at > 0 && jitter->entries[at - 1].number == entry->number) {
        jitter->counters.duplicates++;
        return false;
    }
    if (jitter->count == MEDIA_JITTER_FRAMES_MAX) {
        /* Bounded: the oldest goes. It was here, but it will not be played: it counts as lost. */
        if (at == 0) {
            return false;
        }
        Entry oldest = remove_first(jitter);
        account_missing(jitter, oldest.number + 1);
        missed_set(jitter, oldest.number, false);
        payload_free(jitter, oldest.frame.payload);
        at--;
    }
    memmove(jitter->entries + at + 1, jitter->entries + at, (jitter->count - at) * sizeof(Entry));
    jitter->entries[at] = *entry;
    jitter->count++;
    return true;
}

static uint32_t memory(const MediaJitter *jitter, uint16_t duration_ms) {
    uint32_t frames = PICTURES_MS / duration_ms;
    if (jitter->mode == MEDIA_JITTER_CONTINUOUS) {
        frames = VOICE_MS / duration_ms;
        return frames < VOICE_MOST ? frames : VOICE_MOST;
    }
    return frames > PICTURES_LEAST ? frames : PICTURES_LEAST;
}

bool media_jitter_put(MediaJitter *jitter, const MediaJitterFrame *frame, uint64_t arrival_us) {
    if (jitter->state == STATE_EMPTY) {
        begin(jitter, frame);
    }
    int64_t number = unwrap(frame->number, jitter->next_number);
    int64_t media_time_ms = unwrap(frame->media_time_ms, jitter->newest_ms);
    if (frame->duration_ms == 0 || !plausible(jitter, frame, number, media_time_ms, arrival_us)) {
        payload_free(jitter, frame->payload);
        return false;
    }
    /* A restart has moved the references. */
    number = unwrap(frame->number, jitter->next_number);
    media_time_ms = unwrap(frame->media_time_ms, jitter->newest_ms);
    if (media_time_ms > jitter->newest_ms) {
        jitter->newest_ms = media_time_ms;
    }
    media_delay_add(&jitter->delay, (int64_t)arrival_us - whole_us(jitter, media_time_ms, frame),
                    arrival_us, frame->duration_ms * 1000u, memory(jitter, frame->duration_ms));
    Entry entry = {number, media_time_ms, arrival_us, *frame};
    if (!put_wanted(jitter, number) || !insert(jitter, &entry)) {
        payload_free(jitter, frame->payload);
        return false;
    }
    return true;
}

bool media_jitter_pass(MediaJitter *jitter, const MediaJitterFrame *frame) {
    if (jitter->state == STATE_EMPTY) {
        begin(jitter, frame);
    }
    int64_t number = unwrap(frame->number, jitter->next_number);
    if (number - jitter->next_number >= NUMBER_JUMP_MAX ||
        jitter->next_number - number >= HISTORY) {
        begin(jitter, frame);
        number = jitter->next_number;
    }
    if (!put_wanted(jitter, number)) {
        return false;
    }
    while (jitter->count > 0 && jitter->entries[0].number <= number) {
        Entry entry = remove_first(jitter);
        account_played(jitter, &entry);
        payload_free(jitter, entry.frame.payload);
    }
    if (jitter->next_number > number) {
        jitter->counters.duplicates++;
        return false;
    }
    Entry entry = {.number = number};
    account_played(jitter, &entry);
    jitter->played_number = number;
    jitter->state = STATE_PAUSED;
    return true;
}

static int64_t due_us(const MediaJitter *jitter, const Entry *entry) {
    return whole_us(jitter, entry->media_time_ms, &entry->frame) +
           media_delay_base_us(&jitter->delay) + media_delay_target_us(&jitter->delay);
}

/* The delay in force: how far the position runs behind the line without jitter, were this the frame
 * played next. */
static int64_t delay_us(const MediaJitter *jitter, const MediaJitterFrame *frame, uint64_t now_us) {
    return (int64_t)now_us - media_delay_base_us(&jitter->delay) -
           whole_us(jitter, jitter->position_ms, frame);
}

static MediaJitterStep play_first(MediaJitter *jitter, uint64_t now_us) {
    Entry entry = remove_first(jitter);
    MediaJitterStep step = {.action = MEDIA_JITTER_PLAY,
                            .frame = entry.frame,
                            .duration_ms = entry.frame.duration_ms,
                            .gap_before = entry.number != jitter->played_number + 1};
    account_played(jitter, &entry);
    jitter->played_number = entry.number;
    uint32_t wait_us = now_us > entry.arrival_us ? (uint32_t)(now_us - entry.arrival_us) : 0;
    jitter->counters.wait_us = (jitter->counters.wait_us * 15 + wait_us) / 16;
    jitter->state = jitter->mode == MEDIA_JITTER_CONTINUOUS ? STATE_PLAYING : STATE_PAUSED;
    jitter->position_ms = entry.media_time_ms + entry.frame.duration_ms;
    jitter->duration_ms = entry.frame.duration_ms;
    jitter->pause_expected = entry.frame.flags & (MEDIA_FLAG_SILENCE | MEDIA_FLAG_LAST);
    jitter->concealed_ms = 0;
    return step;
}

static MediaJitterStep conceal(MediaJitter *jitter, int64_t duration_ms, bool counted) {
    jitter->concealed_ms += (uint32_t)duration_ms;
    if (counted) {
        jitter->counters.concealed++;
    }
    return (MediaJitterStep){.action = MEDIA_JITTER_CONCEAL, .duration_ms = (uint16_t)duration_ms};
}

static MediaJitterStep wait_for(uint64_t wait_us) {
    return (MediaJitterStep){.action = MEDIA_JITTER_WAIT, .wait_us = wait_us};
}

/* Drops what a resumption cannot use any more; returns whether a frame is left. */
static bool drop_stale(MediaJitter *jitter, uint64_t now_us) {
    while (jitter->mode == MEDIA_JITTER_CONTINUOUS && jitter->count > 0 &&
           (int64_t)now_us - due_us(jitter, &jitter->entries[0]) > RESUME_LATE_US) {
        Entry entry = remove_first(jitter);
        account_missing(jitter, entry.number);
        jitter->counters.late++;
        jitter->next_number = entry.number + 1;
        missed_set(jitter, entry.number, false);
        payload_free(jitter, entry.frame.payload);
    }
    return jitter->count > 0;
}

static MediaJitterStep take_paused(MediaJitter *jitter, uint64_t now_us) {
    if (!drop_stale(jitter, now_us)) {
        return wait_for(MEDIA_JITTER_FOREVER);
    }
    int64_t early_us = due_us(jitter, &jitter->entries[0]) - (int64_t)now_us;
    if (early_us > 0) {
        return wait_for((uint64_t)early_us);
    }
    return play_first(jitter, now_us);
}

static bool skip_wanted(MediaJitter *jitter, const Entry *first, int64_t excess_us) {
    if (jitter->count < 2 || jitter->entries[1].number != first->number + 1) {
        return false;
    }
    if (first->frame.level >= QUIET_LEVEL) {
        return excess_us >= first->frame.duration_ms * INT64_C(500) + SKIP_MARGIN_US;
    }
    if (excess_us >= LOUD_EXCESS_US &&
        first->media_time_ms - jitter->loud_skip_ms >= LOUD_INTERVAL_MS) {
        jitter->loud_skip_ms = first->media_time_ms;
        return true;
    }
    return false;
}

/* The next frame is here and it is its turn: play it, or use its quiet to mend the delay. */
static MediaJitterStep take_turn(MediaJitter *jitter, uint64_t now_us) {
    const Entry *first = &jitter->entries[0];
    int64_t excess_us =
        delay_us(jitter, &first->frame, now_us) - media_delay_target_us(&jitter->delay);
    if (skip_wanted(jitter, first, excess_us)) {
        Entry skipped = remove_first(jitter);
        account_played(jitter, &skipped);
        jitter->counters.skipped++;
        jitter->position_ms = skipped.media_time_ms + skipped.frame.duration_ms;
        payload_free(jitter, skipped.frame.payload);
        return play_first(jitter, now_us);
    }
    if (first->frame.level >= QUIET_LEVEL && excess_us <= -SKIP_MARGIN_US &&
        jitter->concealed_ms == 0) {
        int64_t stretch_ms = -excess_us / 10000 * 10;
        return conceal(jitter, stretch_ms < 20 ? stretch_ms : 20, false);
    }
    return play_first(jitter, now_us);
}

/* It is nobody's turn: invent sound for a frame not here, or fall silent. */
static MediaJitterStep take_gap(MediaJitter *jitter, uint64_t now_us, int64_t room_ms) {
    if (jitter->concealed_ms >= CONCEAL_MS_MAX) {
        jitter->state = STATE_PAUSED;
        return take_paused(jitter, now_us);
    }
    int64_t duration_ms = jitter->duration_ms < room_ms ? jitter->duration_ms : room_ms;
    if (duration_ms > CONCEAL_MS_MAX) {
        duration_ms = CONCEAL_MS_MAX;
    }
    jitter->position_ms += duration_ms;
    return conceal(jitter, duration_ms, true);
}

static MediaJitterStep take_playing(MediaJitter *jitter, uint64_t now_us) {
    if (jitter->count == 0) {
        if (jitter->pause_expected) {
            jitter->state = STATE_PAUSED;
            return wait_for(MEDIA_JITTER_FOREVER);
        }
        return take_gap(jitter, now_us, INT64_MAX);
    }
    const Entry *first = &jitter->entries[0];
    int64_t room_ms = first->media_time_ms - jitter->position_ms;
    int64_t behind_us = -room_ms * 1000;
    if (behind_us >= first->frame.duration_ms * INT64_C(1000) / 2 &&
        delay_us(jitter, &first->frame, now_us) >= media_delay_target_us(&jitter->delay)) {
        /* Its place was concealed already, and the delay needs no growing: it came too late. */
        Entry late = remove_first(jitter);
        account_missing(jitter, late.number);
        jitter->counters.late++;
        jitter->next_number = late.number + 1;
        missed_set(jitter, late.number, false);
        payload_free(jitter, late.frame.payload);
        return take_playing(jitter, now_us);
    }
    if (room_ms <= SLACK_MS) {
        jitter->position_ms = first->media_time_ms;
        return take_turn(jitter, now_us);
    }
    if (first->number == jitter->next_number) {
        /* No number is missing: the speaker was silent. */
        jitter->state = STATE_PAUSED;
        return take_paused(jitter, now_us);
    }
    return take_gap(jitter, now_us, room_ms);
}

MediaJitterStep media_jitter_take(MediaJitter *jitter, uint64_t now_us) {
    switch (jitter->state) {
    case STATE_EMPTY:
        return wait_for(MEDIA_JITTER_FOREVER);
    case STATE_FRESH:
    case STATE_PAUSED:
        return take_paused(jitter, now_us);
    case STATE_PLAYING:
        return take_playing(jitter, now_us);
    }
    return wait_for(MEDIA_JITTER_FOREVER);
}

MediaJitterCounters media_jitter_counters(const MediaJitter *jitter) {
    MediaJitterCounters counters = jitter->counters;
    counters.target_us = (uint32_t)media_delay_target_us(&jitter->delay);
    return counters;
}
