/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The map of the meeting, as text for a person and as a drawing for Graphviz.
 * It owns how they are laid out. It never asks the node, and judges no line: classes are told as
 * they stand in the map.
 */
#pragma once

#include <json-glib/json-glib.h>

/* A line for each member, with whom it is linked; broken to fit into `columns`, 0: never. The
 * caller frees. */
char *chart_text(JsonObject *map, int columns);

/* ---- dot.c ---- */

/* In DOT; whatever is in a name stays in its quotes. The caller frees. */
char *chart_dot(JsonObject *map);

/* ---- shared by both; the caller frees each ---- */

/* How a member is reached. */
char *chart_way(JsonObject *map, JsonObject *member);
/* How good a link is: "<40 ms (loss <15 %)". */
char *chart_quality(JsonObject *link);
