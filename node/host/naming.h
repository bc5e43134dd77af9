/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What members are called. A relay has no name, and knows nobody's: then a member is called by what
 * it is and the beginning of its key.
 * It owns these words until the program ends. They are for people: programs go by ids.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "mesh/mesh.h"
#include "node/cli/language.h"

/* "founder", "member", …, for programs and as a key of language.h. */
const char *naming_role(MeshRole role);
/* As it named itself, else as "relay 3f2a…". Valid while the member is. */
const char *naming_member(Language language, const MeshMember *member);
/* Adds an object of this name: the text in each language, by its code. */
void naming_put_texts(JsonBuilder *builder, const char *name, char *const texts[LANGUAGES]);
/* Frees them all. */
void naming_free_texts(char *texts[LANGUAGES]);
