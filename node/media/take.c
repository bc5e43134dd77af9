/* SPDX-License-Identifier: MPL-2.0 */
#include "node/media/take.h"

#include <string.h>

#include "node/cli/language.h"

typedef enum {
    TAKE_OFF,
    TAKE_WAITING, /* for a helper that can be asked */
    TAKE_OPENING, /* asked */
    TAKE_RUNNING,
    TAKE_AGAIN, /* ran when the helper died, is asked for again */
} TakeState;

struct MediaTake {
    MediaKind kind;
    MediaHelper *capture;
    const MediaHandler *handler;
    TakeState state;
    char *source;
    MediaProfile profile;
    MediaStartDone done; /* WAITING and OPENING */
    gpointer data;
    guint
        unanswered;  /* STARTs without their ENDED or ERROR: only of the last one we want to hear */
    gboolean begins; /* the next frame is the first of its source */
    guint32 number;  /* of the next frame, as it goes on */
    guint32 time_ms; /* media time of the next frame, had it come at once */
    gint64 heard_us; /* when the last one came; 0: none ever */
    guint32 number_offset;
    guint32 time_offset_ms;
};

MediaTake *media_take_create(MediaKind kind, MediaHelper *capture, const MediaHandler *handler) {
    MediaTake *take = g_new0(MediaTake, 1);
    take->kind = kind;
    take->capture = capture;
    take->handler = handler;
    return take;
}

void media_take_destroy(MediaTake *take) {
    if (take != NULL) {
        g_free(take->source);
        g_free(take);
    }
}

static void answer(MediaTake *take, const GError *error) {
    MediaStartDone done = take->done;
    take->done = NULL;
    if (done != NULL) {
        done(take->data, error);
    }
}

static void refuse(MediaTake *take, MediaFailed code, const char *reason) {
    g_autoptr(GError) error = g_error_new_literal(MEDIA_ERROR_QUARK, code, reason);
    take->state = TAKE_OFF;
    answer(take, error);
}

static void ask(MediaTake *take) {
    MediaStart start = {take->kind, take->profile, media_text(take->source)};
    media_helper_send(take->capture, &(MediaMessage){.type = MEDIA_START, .start = start});
    take->unanswered++;
}

/* Leaves whoever waits for the start unanswered. */
static void switch_off(MediaTake *take) {
    if (take->unanswered > 0 && take->state != TAKE_OFF) {
        media_helper_send(take->capture, &(MediaMessage){.type = MEDIA_STOP, .kind = take->kind});
    }
    take->state = TAKE_OFF;
}

void media_take_stop(MediaTake *take) {
    switch_off(take);
    refuse(take, MEDIA_FAILED_SOURCE, N_("it was stopped before it began"));
}

void media_take_start(MediaTake *take, const char *source, MediaProfile profile,
                      MediaStartDone done, gpointer data) {
    MediaStartDone done_before = take->done;
    gpointer data_before = take->data;
    switch_off(take);
    take->done = done;
    take->data = data;
    g_free(take->source);
    take->source = g_strdup(source);
    take->profile = profile;
    if (source[0] == '\0') {
        refuse(take, MEDIA_FAILED_SOURCE, N_("no source is named"));
    } else if (strlen(source) > MEDIA_TEXT_MAX) {
        refuse(take, MEDIA_FAILED_SOURCE, N_("its description is too long"));
    } else {
        take->state = TAKE_WAITING;
        media_take_ready(take);
    }
    if (done_before != NULL) {
        g_autoptr(GError) error = g_error_new_literal(MEDIA_ERROR_QUARK, MEDIA_FAILED_SOURCE,
                                                      N_("it was stopped before it began"));
        done_before(data_before, error);
    }
}

gboolean media_take_runs(const MediaTake *take) {
    return take->state == TAKE_RUNNING || take->state == TAKE_AGAIN;
}

gboolean media_take_records(const MediaTake *take) {
    return take->profile == MEDIA_PROFILE_RECORD;
}

void media_take_ready(MediaTake *take) {
    if (!media_helper_ready(take->capture)) {
        return;
    }
    if (take->state == TAKE_WAITING) {
        take->state = TAKE_OPENING;
        ask(take);
    } else if (take->state == TAKE_AGAIN) {
        ask(take);
    }
}

static void on_started(MediaTake *take) {
    take->begins = TRUE;
    if (take->state == TAKE_OPENING) {
        take->state = TAKE_RUNNING;
        answer(take, NULL);
    } else if (take->state == TAKE_AGAIN) {
        take->state = TAKE_RUNNING;
    }
}

/* A listener sees one source that paused, whatever became of the helper or was chosen instead. */
static void on_frame(MediaTake *take, const MediaFrame *frame) {
    gint64 now_us = g_get_monotonic_time();
    if (take->state != TAKE_RUNNING) {
        return;
    }
    if (take->begins) {
        gint64 pause_ms = take->heard_us == 0 ? 0 : (now_us - take->heard_us) / 1000;
        take->number_offset = take->number - frame->number;
        take->time_offset_ms = take->time_ms + (guint32)pause_ms - frame->media_time_ms;
        take->begins = FALSE;
    }
    MediaFrame shifted = *frame;
    shifted.number += take->number_offset;
    shifted.media_time_ms += take->time_offset_ms;
    take->number = shifted.number + 1;
    take->time_ms = shifted.media_time_ms + shifted.duration_ms;
    take->heard_us = now_us;
    take->handler->frame(take->handler->user, &shifted);
}

static void on_end(MediaTake *take, const MediaText *text) {
    g_autofree char *raw = g_strndup(text->data, text->length);
    g_autofree char *reason = g_utf8_make_valid(raw, -1);
    if (take->state == TAKE_OPENING) {
        refuse(take, MEDIA_FAILED_SOURCE, reason[0] != '\0' ? reason : N_("nothing came from it"));
    } else if (media_take_runs(take)) {
        take->state = TAKE_OFF;
        take->handler->ended(take->handler->user, take->kind, reason[0] != '\0' ? reason : NULL);
    }
}

void media_take_message(MediaTake *take, const MediaMessage *message) {
    gboolean last = take->unanswered == 1;
    if (take->unanswered == 0) {
        return;
    }
    if (message->type == MEDIA_ENDED || message->type == MEDIA_ERROR) {
        take->unanswered--;
        if (last) {
            on_end(take, &message->notice.text);
        }
    } else if (message->type == MEDIA_STARTED && last) {
        on_started(take);
    } else if (message->type == MEDIA_FRAME && last) {
        on_frame(take, &message->frame);
    }
}

void media_take_gone(MediaTake *take, const char *reason, gboolean again) {
    take->unanswered = 0;
    switch (take->state) {
    case TAKE_OFF:
        break;
    case TAKE_WAITING:
        if (!again) {
            refuse(take, MEDIA_FAILED_HELPER, reason);
        }
        break;
    case TAKE_OPENING:
        /* Not again: most likely it is the source that is too much for it. */
        refuse(take, MEDIA_FAILED_SOURCE, reason);
        break;
    case TAKE_RUNNING:
    case TAKE_AGAIN:
        take->state = again ? TAKE_AGAIN : TAKE_OFF;
        if (!again) {
            take->handler->ended(take->handler->user, take->kind, reason);
        }
        break;
    }
}
