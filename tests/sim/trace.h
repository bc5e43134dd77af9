/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The trace of a world: every event that went into a core and every effect that came out.
 * It owns one running hash over all their bytes, so that two runs can be compared, and prints a
 * line for each when asked. It never keeps them.
 */
#pragma once

#include <glib.h>

#include "mesh/mesh.h"

typedef struct Trace Trace;

/* What is printed beside, as comments of TAP. */
typedef enum {
    TRACE_HIDDEN,
    TRACE_NOTES, /* what is noted of the world */
    TRACE_SHOWN, /* everything */
} TraceShown;

Trace *trace_create(TraceShown shown);
void trace_destroy(Trace *trace);

void trace_event(Trace *trace, const char *node, const MeshEvent *event, MeshError answer);
void trace_effect(Trace *trace, uint64_t now_us, const char *node, const MeshEffect *effect);
/* Anything else that happens in the world, in words. */
void trace_note(Trace *trace, uint64_t now_us, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The hash so far, in hexadecimal. The caller frees. */
char *trace_hash(Trace *trace);
