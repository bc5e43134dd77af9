/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Something to say, and whether a recording holds it.
 * It owns nothing. Where a tool is missing it does with less, and says so.
 */
#pragma once

/* Speech when this machine can speak, else a sweep that comes and goes; its path, to be freed. */
char *speech_write(const char *folder);
/* How long a recording at 48 kHz sounds. */
double speech_seconds_loud(const char *path);
/* Found as sound where the comparer was built, else by how long it sounds. */
void speech_assert_heard(const char *speech, const char *recording);
