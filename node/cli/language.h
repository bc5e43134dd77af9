/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The texts a person reads, in English and French.
 * It owns the table: the English sentence is the key. It never guesses: an unknown sentence stays
 * English, and only the locale, or a browser's wish, chooses.
 */
#pragma once

typedef enum {
    LANGUAGE_ENGLISH,
    LANGUAGE_FRENCH,
    LANGUAGES, /* how many there are */
} Language;

/* Chooses from LC_ALL, LC_MESSAGES, LANG, the first that is set. Called once, at the beginning. */
void language_choose_by_locale(void);
Language language_chosen(void);
/* What `_()` speaks until it is told again, the chosen one at first: a node answers each in the
 * language of whoever asks. Returns the one before. */
Language language_speak(Language language);
/* "en", "fr"; and back, `otherwise` for any other text. */
const char *language_code(Language language);
Language language_of_code(const char *code, Language otherwise);

/* The sentence in the language spoken; never NULL, never freed. */
const char *language_text(const char *english) __attribute__((format_arg(1)));
/* The same in a given language. */
const char *language_text_in(Language language, const char *english) __attribute__((format_arg(2)));

#define _(text) language_text(text)
/* Marks a sentence that is looked up later, where it is used. */
#define N_(text) text
