/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The French of every sentence, beside its English key, one table a subject.
 * It owns the tables, each of which ends with a NULL key. It never chooses the language.
 * Before : ; ! ? » % and units, and after «, stands an unbreakable space (U+00A0).
 */
#pragma once

typedef struct {
    const char *english;
    const char *french;
} FrenchSentence;

extern const FrenchSentence french_commands[];
extern const FrenchSentence french_core[];
extern const FrenchSentence french_host[];
extern const FrenchSentence french_lines[];
extern const FrenchSentence french_map[];
extern const FrenchSentence french_media[];
extern const FrenchSentence french_page[];
extern const FrenchSentence french_printed[];
