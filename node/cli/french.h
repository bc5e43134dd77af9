/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The French of every sentence, beside its English key.
 * It owns the table, which ends with a NULL key. It never chooses the language.
 */
#pragma once

typedef struct {
    const char *english;
    const char *french;
} FrenchSentence;

extern const FrenchSentence french_sentences[];
