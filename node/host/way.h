/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What changed in the way to a member, and why, in words.
 * It owns when it is worth a sentence, and how that reads. It is pure: it asks nobody and remembers
 * nothing.
 */
#pragma once

#include <glib.h>

#include "mesh/mesh.h"
#include "node/cli/language.h"

/* How a member is reached. */
typedef enum {
    WAY_NONE,
    WAY_RELAYED, /* others carry */
    WAY_DIRECT,  /* by a link without anyone between */
} WayKind;

typedef struct {
    WayKind was, is;
    const char *name;
    const char *via;       /* RELAYED: the name of the first who carries; NULL: not known */
    const char *before;    /* the same of the way before; NULL also when it was the same one */
    MeshEnd end;           /* of the last direct link; NONE: there was none since this node began */
    gboolean carrier_lost; /* `before` is linked with directly no more */
    gboolean carrier_cut;  /* `before` was linked with the member, and is no more */
} WayChange;

/* English names for programs: "silent", "left" …; "": NONE. */
const char *way_end_name(MeshEnd end);

/* The sentence, without a point after it; NULL: it is none for a person. The caller frees. */
char *way_sentence(Language language, const WayChange *change);
/* That a member carries for others no more, or again. The caller frees. */
char *way_weak_sentence(Language language, const char *name, gboolean weak);
/* Of so many at once. The caller frees. */
char *way_many_sentence(Language language, WayKind is, guint count);
