/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The links to the other members, as a table for a person, once or again and again.
 * It owns the table's columns. It never judges a line: the sentences come from the node.
 */
#pragma once

#include <json-glib/json-glib.h>

/* Prints what `peers` answers: a line for each, then a sentence for each that needs one. */
void peers_print(JsonArray *peers);
/* The name of one of these peers, borrowed; NULL when it is none of them. */
const char *peers_name(JsonArray *peers, const char *id);
