/* SPDX-License-Identifier: MPL-2.0 */
#include "media/climb.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define OFF    MEDIA_WAY_OFF
#define STILLS MEDIA_WAY_STILLS
#define VIDEO  MEDIA_WAY_VIDEO

static const MediaVideoRung CAMERA[] = {
    {0, OFF, 160, 90, 1, 0, 0},
    {1, STILLS, 320, 180, 2, 0, 6000},
    {2, VIDEO, 160, 90, 2, 16000, 20000},
    {3, VIDEO, 320, 180, 8, 70000, 80000},
    {4, VIDEO, 320, 180, 15, 150000, 170000},
    {5, VIDEO, 640, 360, 15, 350000, 385000},
    {6, VIDEO, 640, 360, 25, 700000, 760000},
};
/* A screen is there to be read: a sharp still late is worth more than a blurred one now. */
static const MediaVideoRung SCREEN[] = {
    {0, OFF, 640, 360, 1, 0, 0},
    {1, STILLS, 640, 360, 2, 0, 8000},
    {2, VIDEO, 960, 540, 2, 90000, 100000},
    {3, VIDEO, 1280, 720, 3, 200000, 220000},
    {4, VIDEO, 1280, 720, 5, 400000, 440000},
    {5, VIDEO, 1280, 720, 10, 900000, 970000},
};
enum { RUNG_OFF, RUNG_STILLS, RUNG_VIDEO, RUNG_BEGIN = RUNG_VIDEO + 1 };

/* More than this for stills would be no better than video. */
#define STILLS_MOST_BPS 40000

/* A trial of the next rung, in UPLINKs: so long it may last, and so many pass before it. */
#define TRIAL_CALLS    5
#define PATIENCE_LEAST 3
#define PATIENCE_MOST  48

/* So much more than before the trial, and it is ended. */
#define TRIAL_LOSS_PERMILLE 40
#define TRIAL_WAIT_MS       200

/* On a line not known to carry this, a trial would cost the voice more than a picture is worth. */
#define TRIAL_LEAST_BPS 24000

/* So much more lost than before, and it is why there is less room. */
#define REASON_LOSS_PERMILLE 30

/* More than this waiting, and what is sent is too much for the line, whatever the rates say. */
#define JAM_MS 600

static const MediaVideoRung *rungs_of(MediaKind kind) {
    return kind == MEDIA_KIND_SCREEN ? SCREEN : CAMERA;
}

static unsigned best_of(MediaKind kind) {
    return (unsigned)(kind == MEDIA_KIND_SCREEN ? COUNT(SCREEN) : COUNT(CAMERA)) - 1;
}

/* Lost video is sent again rather than copied, so loss costs it less; a tenth is left free. */
static uint32_t rate_of(const MediaUplink *line) {
    uint32_t lossless = (uint32_t)((uint64_t)line->rate_bps * (1000 - line->loss_permille) / 1000);
    return lossless - lossless / 10;
}

static uint32_t rate_left(const MediaUplink *line, uint32_t voice_bps) {
    uint32_t rate = rate_of(line);
    return rate > voice_bps ? rate - voice_bps : 0;
}

/* Stills take what there is of their half. */
static MediaVideoRung rung_at(MediaKind kind, unsigned rung, uint32_t left_bps) {
    MediaVideoRung found = rungs_of(kind)[rung];
    if (found.way == STILLS && left_bps / 2 > found.wire_bps) {
        found.wire_bps = left_bps / 2 < STILLS_MOST_BPS ? left_bps / 2 : STILLS_MOST_BPS;
    }
    return found;
}

MediaVideoRung media_climb_first(MediaKind kind) {
    return rung_at(kind, RUNG_STILLS, 0);
}

MediaVideoRung media_climb_rung(MediaKind kind, const MediaUplink *line, uint32_t voice_bps,
                                unsigned rung) {
    const MediaVideoRung *rungs = rungs_of(kind);
    if (rung > best_of(kind)) {
        rung = best_of(kind);
    }
    uint32_t left_bps = rate_left(line, voice_bps);
    if (line->rate_bps == 0) {
        return rung_at(kind, rung, 0);
    }
    if (rung < best_of(kind) &&
        left_bps >= rungs[rung + 1].wire_bps + rungs[rung + 1].wire_bps / 4) {
        return rung_at(kind, rung + 1, left_bps);
    }
    while (rung > RUNG_OFF && left_bps < rungs[rung].wire_bps) {
        rung--;
    }
    return rung_at(kind, rung, left_bps);
}

MediaClimb media_climb_begin(MediaKind kind) {
    return (MediaClimb){
        .kind = kind, .rung = RUNG_STILLS, .told = RUNG_STILLS, .patience = PATIENCE_LEAST};
}

/* Whether the line takes the trial badly. A still by itself waits longer than that. */
static bool suffers(const MediaClimb *climb, const MediaUplink *line) {
    const MediaUplink *before = &climb->before;
    return line->loss_permille > before->loss_permille + TRIAL_LOSS_PERMILLE ||
           line->rtt_ms > 2 * before->rtt_ms + TRIAL_WAIT_MS ||
           (climb->rung > RUNG_STILLS && line->queue_ms > before->queue_ms + TRIAL_WAIT_MS) ||
           line->rate_bps < before->rate_bps - before->rate_bps / 4;
}

static bool trial_wise(const MediaClimb *climb, const MediaUplink *line, uint32_t voice_bps,
                       unsigned most) {
    uint64_t hope = (uint64_t)rate_of(line) * 9 / 5;
    return rate_of(line) >= TRIAL_LEAST_BPS && line->queue_ms <= TRIAL_WAIT_MS && climb->shy == 0 &&
           climb->calm >= climb->patience && climb->rung < most &&
           hope >= (uint64_t)voice_bps + rungs_of(climb->kind)[climb->rung + 1].wire_bps;
}

/* Why it is another rung now than the one last told. */
static MediaReason reason_of(const MediaClimb *climb, const MediaUplink *line, unsigned rung) {
    const MediaUplink *since = &climb->since;
    if (rung > climb->told) {
        return MEDIA_REASON_ROOM;
    }
    if (rung == RUNG_OFF) {
        return MEDIA_REASON_NARROW;
    }
    if (climb->burst || line->queue_ms > JAM_MS) {
        return MEDIA_REASON_QUEUE;
    }
    if (line->rate_bps < since->rate_bps - since->rate_bps / 8) {
        return MEDIA_REASON_LINE;
    }
    return line->loss_permille > since->loss_permille + REASON_LOSS_PERMILLE ? MEDIA_REASON_LOSS
                                                                             : MEDIA_REASON_VOICE;
}

/* Settles on a rung; whatever was tried is over. */
static void settle(MediaClimb *climb, const MediaUplink *line, unsigned rung) {
    climb->left = 0;
    climb->calm = 0;
    climb->rung = rung;
    if (rung != climb->told) {
        climb->reason = reason_of(climb, line, rung);
        climb->told = rung;
        climb->since = *line;
    }
}

static void begin(MediaClimb *climb, const MediaUplink *line, uint32_t voice_bps) {
    const MediaVideoRung *rungs = rungs_of(climb->kind);
    uint32_t left_bps = rate_left(line, voice_bps);
    unsigned rung = RUNG_BEGIN;
    while (rung > RUNG_STILLS && left_bps / 2 < rungs[rung].wire_bps) {
        rung--;
    }
    if (left_bps < rungs[rung].wire_bps) {
        rung = RUNG_OFF;
    }
    climb->begun = true;
    climb->since = *line;
    settle(climb, line, rung);
}

static void lose_patience(MediaClimb *climb) {
    climb->patience = climb->patience < PATIENCE_MOST ? climb->patience * 2 : PATIENCE_MOST;
}

/* In a trial: whether it goes on, is won or lost. */
static void judge(MediaClimb *climb, const MediaUplink *line, unsigned proven) {
    if (proven >= climb->rung && !climb->burst) {
        climb->patience = PATIENCE_LEAST;
        settle(climb, line, proven);
        return;
    }
    climb->left--;
    if (climb->left == 0 || climb->burst || suffers(climb, line)) {
        lose_patience(climb);
        settle(climb, line, proven < climb->rung ? proven : climb->rung - 1);
    }
}

static void try_next(MediaClimb *climb, const MediaUplink *line) {
    climb->left = TRIAL_CALLS;
    climb->before = *line;
    climb->calm = 0;
    climb->rung++;
}

/* Where the line and the trials lead. */
static void move(MediaClimb *climb, const MediaUplink *line, uint32_t voice_bps, unsigned most) {
    unsigned proven = media_climb_rung(climb->kind, line, voice_bps, climb->rung).rung;
    proven = proven < most ? proven : most;
    climb->shy -= climb->shy > 0;
    if (climb->left > 0) {
        judge(climb, line, proven);
    } else if ((climb->burst || line->queue_ms > JAM_MS) && proven >= climb->rung) {
        /* A still by itself waits as long, and the next one waits for it. */
        if (climb->rung > RUNG_STILLS) {
            climb->shy = climb->patience;
            lose_patience(climb);
            settle(climb, line, climb->rung - 1);
        }
    } else if (proven < climb->rung || (proven > climb->rung && climb->shy == 0)) {
        settle(climb, line, proven);
    } else if (line->rate_bps > 0) {
        climb->calm++;
        if (trial_wise(climb, line, voice_bps, most)) {
            try_next(climb, line);
        }
    }
}

MediaVideoRung media_climb_step(MediaClimb *climb, const MediaUplink *line, uint32_t voice_bps,
                                MediaSave save) {
    unsigned most = save == MEDIA_SAVE_PICTURES ? RUNG_OFF
                    : save == MEDIA_SAVE_VIDEO  ? RUNG_STILLS
                                                : best_of(climb->kind);
    if (line->rate_bps > 0 && !climb->begun) {
        begin(climb, line, voice_bps);
    } else if (climb->rung <= most) {
        move(climb, line, voice_bps, most);
    }
    if (climb->rung > most) {
        settle(climb, line, most);
        climb->reason = MEDIA_REASON_SAVE;
    }
    climb->burst = false;
    return rung_at(climb->kind, climb->rung, rate_left(line, voice_bps));
}

MediaVideoRung media_climb_told(const MediaClimb *climb) {
    return rungs_of(climb->kind)[climb->told];
}
