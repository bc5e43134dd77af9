/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the files of this folder share: the state of the node.
 * It owns nothing by itself: host.c creates and destroys it. It is never included from elsewhere.
 */
#pragma once

#include "node/bus/bus.h"
#include "node/cli/language.h"
#include "node/host/calm.h"
#include "node/host/host.h"
#include "node/media/media.h"
#include "node/net/net.h"
#include "node/page/page.h"
#include "node/store/store.h"

/* Meetings held at once; one more is refused. */
#define HOST_ROOMS_MAX 32

typedef enum {
    TURN_QUIET,  /* nothing to commit */
    TURN_OPEN,   /* something was put since the last commit */
    TURN_FAILED, /* a put failed: nothing since the last commit is stored */
} TurnState;

typedef enum {
    SOURCE_OFF,
    SOURCE_WAITING,    /* the helper was asked for it */
    SOURCE_ANNOUNCING, /* it runs; the meeting is told */
    SOURCE_SENDING,
} SourceState;

/* How the last recording ended. */
typedef enum {
    RECORD_END_ASKED, /* nothing is to be told of it (any more) */
    RECORD_END_DISK_FULL,
    RECORD_END_FILE_FULL,
} RecordEnd;

typedef struct Lines Lines;
typedef struct Ways Ways;
typedef struct Record Record;
typedef struct VoiceRecording VoiceRecording;
typedef struct VoicePlaying VoicePlaying;

/* What was told of a source. */
typedef struct {
    Calm calm; /* of rung_value() */
    gboolean paused;
} RungTold;

/* A voice message, offered to whoever speaks where live voice does not fit. */
typedef struct {
    Calm calm;      /* whether it is */
    guint room;     /* where it stands now; 0: nowhere */
    MeshKey member; /* whose line is the best, */
    guint rate_bps; /* and carries so much; 0: nobody's */
    char *reasons[LANGUAGES];
} Offer;

/* Microphone, camera or screen. */
typedef struct {
    SourceState state;
    guint room;     /* where its frames go */
    BusCall *call;  /* of the one who waits for it, or NULL */
    guint64 number; /* of this source, counted */
    char *words;    /* what it was asked for by; of the microphone */
    gboolean held;  /* push-to-talk: the call is answered when it is off again, */
    guint seconds;  /* after so many at most, 0: any number; */
    guint timer;    /* these */
    char *resume; /* what the microphone was on for before it was held, and is again after; NULL */
    guint resume_room;
} Source;

#define SOURCE_KINDS (MEDIA_KIND_SCREEN + 1)

/* A microphone or a camera that is tried, while somebody waits for the end of it. */
typedef struct {
    BusCall *call;    /* NULL: none */
    gboolean live;    /* it is on in earnest: only looked at */
    gboolean metered; /* how loud it is is told */
    guint32 heard;    /* the player's stream; 0: it is not heard here */
    guint32 number;   /* of the trial, as a stream of pictures */
    gint64 until_us;
    MediaLoudness loudest;
} Trial;

typedef enum {
    DEVICE_MICROPHONE,
    DEVICE_CAMERA,
    DEVICE_SPEAKER,
    DEVICE_CHOICES,
} DeviceChoice;

struct Host {
    char *name;
    guint8 seed[MESH_SEED_SIZE];
    MeshKey key;
    guint64 fetch_max, store_max;
    gboolean store_told;  /* store_max is another than before: to be remembered */
    gboolean relay;       /* it carries for a meeting, and takes part in none */
    gboolean relay_ready; /* what becomes of it may be said */
    guint relay_timer; /* until it is said that nobody answers, or the ticket forgotten; 0: none */
    MeshError relay_error; /* why no meeting takes it, or MESH_OK */

    Store *store;
    Net *net;
    Media *media; /* NULL: without media */
    Bus *bus;
    Page *page; /* NULL: without a page */
    GMainLoop *loop;
    guint signals[3]; /* sources of SIGINT, SIGTERM, SIGHUP */

    GPtrArray *rooms;     /* Room, by ascending number */
    guint current;        /* number of the room a person acts in; 0: none */
    guint current_stored; /* the same, as the settings have it */
    GArray *addresses;    /* MeshPath: this node's own */

    GHashTable *intents; /* guint64 tag → what waits for its end */
    guint64 tag;         /* of the last intent */

    TurnState turn;
    guint turns_failed; /* in a row */
    GSource *turn_source;
    guint64 unreadable; /* items asked for that the store found damaged */

    GHashTable *adding;  /* the documents being added */
    GHashTable *getting; /* the documents being written out */

    Source sources[SOURCE_KINDS];
    RungTold rungs[SOURCE_KINDS];
    guint save;            /* what pictures may cost, a MediaSave */
    guint ceiling_kbit;    /* what is sent at most, 0: any */
    guint uplink_timer;    /* 0 while nothing is captured */
    guint uplink_looks;    /* since the encoders were last told of the line, */
    guint uplink_bps;      /* and what it carried then, */
    gboolean uplink_bound; /* or a person allows of it */
    guint64 frames_dropped;
    Offer offer; /* of a voice message, instead of live voice */

    VoiceRecording *recording; /* the voice message being spoken, or NULL */
    guint64 recordings;        /* so far */
    VoicePlaying *playing;     /* the one being heard, or NULL */

    Record *record; /* NULL: nothing is recorded */
    RecordEnd record_end;
    char *record_path; /* of the last one that ended */
    Lines *lines;      /* the links of all meetings, watched */

    char *devices[DEVICE_CHOICES]; /* those chosen, NULL: none in particular */
    gboolean card;                 /* sound goes to a loudspeaker, not elsewhere */
    Trial trials[SOURCE_KINDS];
    guint trials_timer;

    gboolean windowed;                /* the player would show pictures in a window */
    GPtrArray *pictures;              /* kept for pages */
    guint64 pictures_refused;         /* they made no sense */
    gint64 own_wish_us[SOURCE_KINDS]; /* when a page last made us send a keyframe */
    GArray *voices;                   /* who speaks */
    guint voices_timer;               /* 0 while nobody does */

    guint wishes;         /* timer of the keyframes that pages wish for; 0: none */
    GHashTable *streams;  /* those that play */
    GHashTable *speakers; /* what was heard of each */
    guint32 stream;       /* number of the last */
};
