/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The company this node keeps: of the roster those it is linked with, knocks at, or lets go, as
 * choice.h says and as far as there are slots.
 * It owns what is noted of each member in that regard. It never judges: choice does.
 */
#pragma once

#include "mesh/overlay/neighbour.h"

/* Noted of one member in this run. */
typedef struct {
    MeshKey key;
    bool present;        /* when last looked */
    uint64_t noted_us;   /* when it was first heard of */
    uint32_t tries;      /* knocks in vain, since it was last heard or seen */
    uint64_t turn_us;    /* when it was last knocked at */
    uint64_t shunned_us; /* until then only linked with when few are */
} CompanyMember;

typedef struct {
    CompanyMember *members;
    size_t count, capacity;
    bool changed;        /* somebody came, went, or is seen otherwise */
    bool large;          /* so many are here that not all are linked with all */
    size_t absent;       /* members who are not here */
    uint64_t looked_us;  /* when the choice was last made */
    uint64_t look_us;    /* when it is made again, though nothing changed */
    uint64_t dropped_us; /* when a link was last let go; 0: never */
} Company;

void company_finish(Mesh *mesh);
/* Somebody came or went, or the map changed: the choice is made anew, soon. */
void company_changed(Mesh *mesh);
/* It hails, or answered: it is knocked at now, if it is wanted at all. */
void company_found(Mesh *mesh, const MeshKey *key, const MeshPath *path);
/* Whether it would be told where we are when it looks for anybody: one who is here needs nobody. */
bool company_answers(const Mesh *mesh, const MeshKey *key);
/* It is linked with. */
void company_linked(Mesh *mesh, const Neighbour *neighbour);
/* It let us go, or was never reached directly: for a while it is not wanted. */
void company_shun(Mesh *mesh, const MeshKey *key);
bool company_shuns(const Mesh *mesh, const MeshKey *key);

void company_timeout(Mesh *mesh);
uint64_t company_deadline_us(const Mesh *mesh);
