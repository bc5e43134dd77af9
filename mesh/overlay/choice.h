/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whom to be linked with: of up to eight others present everyone, of more about seven, three of
 * them by chance, a relay, the rest near, and always whoever is not to be seen by way of the
 * others. It owns nothing: the same candidates give the same verdicts. It never knocks, and never
 * ends a link; seek.c does.
 */
#pragma once

#include "mesh/mesh.h"

#define CHOICE_ALL        8 /* others present: up to so many everyone is linked with everyone */
#define CHOICE_FEW        3 /* links: with fewer nobody is passed over */
#define CHOICE_MOST       10
#define CHOICE_RELAY_MOST 32 /* of a relay, which is there for it */
#define CHOICE_KNOCK      4  /* knocked at at once, of those who are not to be seen */
#define CHOICE_ALONE      16 /* the same, while there is no link at all, or none is heard */

/* After letting go: by then all know who let go of what. */
#define CHOICE_CALM_US 3000000

/* Links that one wants, and those of them by chance; the same of a weak node. With 6 (6.98 on
 * average) 250 nodes are 3.51 hops from each other's entries. */
#define CHOICE_TARGET      7
#define CHOICE_RANDOM      3
#define CHOICE_WEAK_RANDOM 2
#define CHOICE_WEAK_TARGET 3

typedef struct {
    MeshKey key;
    bool linked;      /* by whatever path */
    bool direct;      /* and without anybody's help */
    bool present;     /* the map shows a way to it */
    bool weak;        /* its record asks not to be made to carry */
    bool relay;       /* it is here to carry */
    bool shunned;     /* let go, or never reached directly: not for a while */
    bool knocked;     /* being knocked at */
    bool vain;        /* and it had its turn */
    bool surplus;     /* neither needs the link, see surplus.h */
    bool fresh;       /* so new here that the map will only soon show whether it is present */
    bool nowhere;     /* and no address of it is known */
    bool orphan;      /* nobody who is here can know whether it lives, nor was it looked for */
    uint32_t degree;  /* links it has beside ours, as the map tells, */
    uint32_t before;  /* and those of them that choice_rank puts before ours */
    uint32_t rtt_us;  /* measured or, of one not linked with, as the map tells; 0: unknown */
    uint64_t age_us;  /* it is linked so long */
    uint64_t turn_us; /* when it was last knocked at: the longest ago is next */
} ChoiceCandidate;

typedef enum {
    CHOICE_REST, /* not linked with, and well so */
    CHOICE_WANT, /* to be linked with */
    CHOICE_KEEP, /* linked with, and well so */
    CHOICE_DROP, /* linked with, but neither needs the other */
} ChoiceVerdict;

typedef struct {
    MeshKey key;
    bool weak;        /* fewer links */
    bool relay;       /* more */
    bool crowded;     /* slots are short: whoever can be spared goes now */
    bool unheard;     /* there may be links, but nothing comes by any of them */
    uint64_t calm_us; /* since a link was last dropped */
} ChoiceSelf;

/* A number for a pair of nodes, as good as drawn by chance, that both find alike. */
uint64_t choice_rank(const MeshKey *a, const MeshKey *b);
/* So few are present that everyone is linked with everyone. */
bool choice_is_small(const ChoiceCandidate *candidates, size_t count);
/* What to do about each of `count` candidates, MESH_MEMBERS_MAX at most, none of whom is oneself.
 */
void choice_make(const ChoiceSelf *self, const ChoiceCandidate *candidates, size_t count,
                 ChoiceVerdict *ret_verdicts);
