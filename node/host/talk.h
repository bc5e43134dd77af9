/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Push-to-talk, and a voice message instead where the line is too narrow for live voice.
 * It owns the choice between the two and the words for it. It never records or sends by itself.
 */
#pragma once

#include "node/host/room.h"

/* What the others of a meeting can be told live. */
typedef enum {
    TALK_LIVE,   /* the best line to one of them carries it, or nothing is known of it yet */
    TALK_NARROW, /* it carries too little, */
    TALK_SLOW,   /* its answers take too long, */
    TALK_LOSSY,  /* or it loses too much */
    TALK_BOUND,  /* a person allows less than it takes */
    TALK_NOBODY, /* nobody is in reach */
} TalkWay;

typedef struct {
    TalkWay way;
    MeshMember best; /* but NOBODY: whose line is the best, */
    guint bps;       /* and what it carries, what is lost taken off; or what is allowed of it */
} TalkLine;

/* What the line carries of a rate when so much is lost that it must be sent again. */
guint talk_capacity_bps(guint rate_bps, guint loss_ppm);
/* What one line is good for; `was_bad`: it was not a moment ago, and must be clearly better now. */
TalkWay talk_way(const MeshMember *member, gboolean was_bad);
/* The same of the best line to a member of that meeting. */
TalkLine talk_line(Room *room, gboolean was_bad);

/* Why not live, in a sentence; NULL when it is. The caller frees. */
char *talk_why_not(Language language, const TalkLine *line);

/* Tells who holds the call that they are heard. */
void talk_say_live(BusCall *call);
