/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/choice.h"

#include <assert.h>
#include <string.h>

#define RELAY_RANDOM 24 /* that a relay has by chance; the others of its links need it */
#define WEAK_MOST    5
#define NEAREST      3
#define OTHERS_LEAST 4        /* links that come before ours: who has so many can be let go */
#define AGE_US       30000000 /* by then it is known how near it is, and who else is linked with */
#define NEARER_US    10000 /* by so much, and by half, must one be nearer to be linked with too */

typedef struct {
    const ChoiceSelf *self;
    const ChoiceCandidate *candidates;
    size_t count;
    ChoiceVerdict *verdicts;
    bool ranked[MESH_MEMBERS_MAX]; /* ours by chance */
    size_t links;                  /* there are, or are wanted, */
    size_t vain;                   /* and those through others that will stay so */
    size_t direct;                 /* of them without anybody's help */
} Choosing;

static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t first_bytes(const MeshKey *key) {
    BytesReader reader = bytes_reader(key->bytes, sizeof key->bytes);

    return bytes_read_u64(&reader);
}

uint64_t choice_rank(const MeshKey *a, const MeshKey *b) {
    bool ordered = memcmp(a->bytes, b->bytes, sizeof a->bytes) < 0;

    return mix(mix(first_bytes(ordered ? a : b)) + first_bytes(ordered ? b : a));
}

static bool is_here(const ChoiceCandidate *candidate) {
    return candidate->linked || candidate->present;
}

bool choice_is_small(const ChoiceCandidate *candidates, size_t count) {
    size_t here = 0;

    for (size_t i = 0; i < count; i++) {
        here += is_here(&candidates[i]);
    }
    return here <= CHOICE_ALL;
}

/* ---- whom to link with ---- */

static void want(Choosing *choosing, size_t i) {
    if (choosing->verdicts[i] == CHOICE_REST) {
        choosing->verdicts[i] = CHOICE_WANT;
        choosing->links++;
    }
}

/* Who does not want to carry is nobody's by chance, but of others like it. */
static bool may_be_ranked(const ChoiceCandidate *candidate, const ChoiceSelf *self) {
    return is_here(candidate) && !candidate->shunned &&
           (self->weak || self->relay || !candidate->weak);
}

static void want_ranked(Choosing *choosing) {
    const ChoiceSelf *self = choosing->self;
    size_t wanted = self->relay ? RELAY_RANDOM : self->weak ? CHOICE_WEAK_RANDOM : CHOICE_RANDOM;

    for (size_t n = 0; n < wanted; n++) {
        size_t best = choosing->count;
        uint64_t best_rank = UINT64_MAX;

        for (size_t i = 0; i < choosing->count; i++) {
            const ChoiceCandidate *candidate = &choosing->candidates[i];
            uint64_t rank = choice_rank(&self->key, &candidate->key);

            if (!choosing->ranked[i] && may_be_ranked(candidate, self) && rank < best_rank) {
                best = i;
                best_rank = rank;
            }
        }
        if (best == choosing->count) {
            return;
        }
        choosing->ranked[best] = true;
        want(choosing, best);
    }
}

/* Whether we are one of those that a relay has by chance, of all who are here. */
static bool is_of_relay(const Choosing *choosing, size_t relay) {
    const MeshKey *key = &choosing->candidates[relay].key;
    uint64_t ours = choice_rank(key, &choosing->self->key);
    size_t before = 0;

    for (size_t i = 0; i < choosing->count && before < RELAY_RANDOM; i++) {
        before += i != relay && is_here(&choosing->candidates[i]) &&
                  choice_rank(key, &choosing->candidates[i].key) < ours;
    }
    return before < RELAY_RANDOM;
}

static bool is_full(const ChoiceCandidate *candidate) {
    return candidate->degree >= (candidate->relay ? CHOICE_RELAY_MOST : CHOICE_MOST);
}

/* It is one of ours by chance; or we have hardly any link that is not made of others'. */
static bool suits(const Choosing *choosing, size_t i) {
    const ChoiceCandidate *candidate = &choosing->candidates[i];

    return candidate->relay && !candidate->weak && may_be_ranked(candidate, choosing->self) &&
           (is_of_relay(choosing, i) || (choosing->direct < CHOICE_FEW && !is_full(candidate)));
}

/* One that is here to carry is among our links, as far as it can be among everybody's, and two for
 * who can be linked with few of the others: they are reached so. */
static void want_relays(Choosing *choosing) {
    size_t wanted = choosing->direct < CHOICE_FEW ? 2 : 1;

    for (int linked = 1; linked >= 0 && !choosing->self->relay; linked--) {
        for (size_t i = 0; i < choosing->count && wanted > 0; i++) {
            if (choosing->candidates[i].linked == linked && suits(choosing, i)) {
                choosing->ranked[i] = true;
                want(choosing, i);
                wanted--;
            }
        }
    }
}

/* Of two not linked with, the one to be linked with first: who has room, and is near. */
static bool is_nearer(const ChoiceSelf *self, const ChoiceCandidate *a, const ChoiceCandidate *b) {
    uint32_t a_us = a->rtt_us - 1, b_us = b->rtt_us - 1; /* the unknown is far */

    if (is_full(a) != is_full(b)) {
        return is_full(b);
    }
    if (a->weak != b->weak) {
        return b->weak;
    }
    return a_us != b_us ? a_us < b_us
                        : choice_rank(&self->key, &a->key) < choice_rank(&self->key, &b->key);
}

/* The nearest not linked with; `count`: there is none. */
static size_t find_nearest(const Choosing *choosing, bool shunned) {
    size_t best = choosing->count;

    for (size_t i = 0; i < choosing->count; i++) {
        const ChoiceCandidate *candidate = &choosing->candidates[i];

        if (choosing->verdicts[i] == CHOICE_REST && candidate->present &&
            candidate->shunned == shunned &&
            (best == choosing->count ||
             is_nearer(choosing->self, candidate, &choosing->candidates[best]))) {
            best = i;
        }
    }
    return best;
}

static void want_nearest(Choosing *choosing, size_t target, bool shunned) {
    while (choosing->links + (shunned ? choosing->vain : 0) < target) {
        size_t nearest = find_nearest(choosing, shunned);

        if (nearest == choosing->count ||
            (choosing->links >= CHOICE_FEW && is_full(&choosing->candidates[nearest]))) {
            return; /* it would soon let us go */
        }
        want(choosing, nearest);
    }
}

/* The round trip to the third nearest of those linked with; 0: there are fewer, or not known. */
static uint32_t third_us(const Choosing *choosing) {
    uint32_t nearest[NEAREST] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};

    for (size_t i = 0; i < choosing->count; i++) {
        uint32_t rtt_us = choosing->candidates[i].rtt_us;

        for (size_t n = 0; n < NEAREST && choosing->candidates[i].direct && rtt_us > 0; n++) {
            if (rtt_us < nearest[n]) {
                uint32_t further_us = nearest[n];

                nearest[n] = rtt_us;
                rtt_us = further_us;
            }
        }
    }
    return nearest[NEAREST - 1] == UINT32_MAX ? 0 : nearest[NEAREST - 1];
}

/* One much nearer than those that are near so far: it is linked with beside them, and the one
 * farthest away goes when there are too many. */
static void want_nearer(Choosing *choosing) {
    size_t nearest = find_nearest(choosing, false);
    const ChoiceCandidate *candidate = &choosing->candidates[nearest];

    if (choosing->links < CHOICE_MOST && nearest < choosing->count && candidate->rtt_us > 0 &&
        !is_full(candidate) && 2 * (uint64_t)candidate->rtt_us + NEARER_US < third_us(choosing)) {
        want(choosing, nearest);
    }
}

/* ---- whom to let go ---- */

/* It can be without us, and we without it. */
static bool is_ripe(const Choosing *choosing, size_t i) {
    const ChoiceCandidate *candidate = &choosing->candidates[i];

    return choosing->verdicts[i] == CHOICE_KEEP && candidate->direct && !choosing->ranked[i] &&
           (choosing->self->crowded || candidate->age_us >= AGE_US);
}

/* Of its links those of the lowest ranks are let go by nobody, however many let go at once; these
 * hold those that either has by chance. */
static bool can_be_spared(const Choosing *choosing, size_t i) {
    return is_ripe(choosing, i) &&
           choosing->candidates[i].before >= (choosing->self->crowded ? CHOICE_FEW : OTHERS_LEAST);
}

/* The one that is farthest of those that can be spared; false: there is none. */
static bool drop_farthest(Choosing *choosing) {
    size_t worst = choosing->count;

    for (size_t i = 0; i < choosing->count; i++) {
        const ChoiceCandidate *candidates = choosing->candidates;

        if (can_be_spared(choosing, i) &&
            (worst == choosing->count || candidates[i].rtt_us > candidates[worst].rtt_us ||
             (candidates[i].rtt_us == candidates[worst].rtt_us &&
              candidates[i].degree > candidates[worst].degree))) {
            worst = i;
        }
    }
    if (worst == choosing->count) {
        return false;
    }
    choosing->verdicts[worst] = CHOICE_DROP;
    return true;
}

/* What would only go through the others for good. */
static void drop_relayed(Choosing *choosing) {
    for (size_t i = 0; i < choosing->count && choosing->direct >= CHOICE_FEW; i++) {
        const ChoiceCandidate *candidate = &choosing->candidates[i];

        if (candidate->linked && !candidate->direct && candidate->shunned) {
            choosing->verdicts[i] = CHOICE_DROP;
        }
    }
}

/* What neither needs; and half of what is more than one accepts, though the other end may look for
 * another then: all of it when slots are short. */
static void drop_surplus(Choosing *choosing) {
    const ChoiceSelf *self = choosing->self;
    size_t most = self->relay ? CHOICE_RELAY_MOST : self->weak ? WEAK_MOST : CHOICE_MOST;
    size_t excess = choosing->direct > most ? choosing->direct - most : 0;
    size_t due = self->crowded ? excess : (excess + 1) / 2;

    if (!self->crowded && self->calm_us < CHOICE_CALM_US) {
        return;
    }
    for (size_t i = 0; i < choosing->count; i++) {
        if (choosing->candidates[i].surplus && is_ripe(choosing, i)) {
            choosing->verdicts[i] = CHOICE_DROP;
            due -= due > 0;
        }
    }
    while (due > 0 && drop_farthest(choosing)) {
        due--;
    }
}

/* ---- whom nobody sees ---- */

/* Whose turn it is to be knocked at: first who may live, but lost all its neighbours at once; who
 * has it keeps it until it was in vain. */
static unsigned class_of(const ChoiceCandidate *candidate) {
    if (candidate->knocked && candidate->vain) {
        return 3;
    }
    return candidate->orphan ? 0 : candidate->knocked ? 1 : 2;
}

/* Where nobody had a turn everyone begins with others, lest all knock at the same few. */
static bool is_before(const ChoiceSelf *self, const ChoiceCandidate *a, const ChoiceCandidate *b) {
    if (class_of(a) != class_of(b)) {
        return class_of(a) < class_of(b);
    }
    return a->turn_us != b->turn_us
               ? a->turn_us < b->turn_us
               : choice_rank(&self->key, &a->key) < choice_rank(&self->key, &b->key);
}

static void want_absent(Choosing *choosing, size_t budget) {
    for (size_t n = 0; n < budget; n++) {
        size_t next = choosing->count;

        for (size_t i = 0; i < choosing->count; i++) {
            if (choosing->verdicts[i] == CHOICE_REST && !is_here(&choosing->candidates[i]) &&
                !choosing->candidates[i].fresh && !choosing->candidates[i].nowhere &&
                (next == choosing->count || is_before(choosing->self, &choosing->candidates[i],
                                                      &choosing->candidates[next]))) {
                next = i;
            }
        }
        if (next == choosing->count) {
            return;
        }
        choosing->verdicts[next] = CHOICE_WANT;
    }
}

void choice_make(const ChoiceSelf *self, const ChoiceCandidate *candidates, size_t count,
                 ChoiceVerdict *ret_verdicts) {
    Choosing choosing = {
        .self = self, .candidates = candidates, .count = count, .verdicts = ret_verdicts};
    bool small = choice_is_small(candidates, count);
    bool alone = true;

    assert(count <= MESH_MEMBERS_MAX);
    for (size_t i = 0; i < count; i++) {
        ret_verdicts[i] = candidates[i].linked             ? CHOICE_KEEP
                          : small && candidates[i].present ? CHOICE_WANT
                                                           : CHOICE_REST;
        alone = alone && !candidates[i].linked;
        choosing.direct += candidates[i].direct;
        choosing.links += candidates[i].direct || (candidates[i].linked && !candidates[i].shunned);
        choosing.vain += candidates[i].linked && !candidates[i].direct && candidates[i].shunned;
    }
    if (!small) {
        want_ranked(&choosing);
        want_relays(&choosing);
        want_nearest(&choosing, self->weak ? CHOICE_WEAK_TARGET : CHOICE_TARGET, false);
        want_nearest(&choosing, CHOICE_FEW, true);
        if (!self->weak) {
            want_nearer(&choosing);
        }
        drop_relayed(&choosing);
        drop_surplus(&choosing);
    }
    /* A weak line may only pause, and would then be full of knocks. */
    alone = alone || (self->unheard && !self->weak);
    want_absent(&choosing, alone ? CHOICE_ALONE : CHOICE_KNOCK);
}
