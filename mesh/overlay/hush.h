/* SPDX-License-Identifier: MPL-2.0 */
/*
 * When nobody at all is heard: of many neighbours that are linked with, some should be now and
 * then, and who hears none may have lost all of them at once.
 * It owns since when. It never ends a link, nor takes one for dead: it asks, and then has company
 * look for others as if nobody were here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct Mesh Mesh;

typedef enum {
    HUSH_NONE,  /* somebody was heard lately, or need not be */
    HUSH_ASKED, /* the one silent longest was asked for a word, */
    HUSH_ALL,   /* and gave none: all are asked, again and again, */
    HUSH_DEEP,  /* and none gives any: others are looked for */
} HushState;

typedef struct {
    HushState state;
    uint64_t heard_us; /* something authentic came of one who is linked with */
    uint64_t due_us;   /* of ASKED and ALL: an answer would be here by then */
} Hush;

/* Something authentic came of a neighbour. */
void hush_broken(Mesh *mesh);
/* Nobody is heard: what the map shows may all be gone. */
bool hush_is_deep(const Mesh *mesh);

void hush_timeout(Mesh *mesh);
uint64_t hush_deadline_us(const Mesh *mesh);
