/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The links to the other members, as a table for a person, once or again and again.
 * It owns the table's columns. It never judges a line: the sentences come from the node.
 */
#pragma once

#include <json-glib/json-glib.h>

/* Prints what `peers` answers, neighbours first: a line for each, then a sentence for each that
 * needs one. */
void peers_print(JsonArray *peers);
/* The same on a screen of so many rows (0: any number), and `changes`, lines, below. */
void peers_print_screen(JsonArray *peers, const GQueue *changes, int rows);
/* "direct", "through Bob, 3 links": how one of these peers that is up is reached. The caller frees.
 */
char *peers_way(JsonObject *peer, JsonArray *peers);
/* One of the changes that `map` and its event tell of, in the language spoken, and its hour. The
 * caller frees. */
char *peers_change(JsonObject *change);
