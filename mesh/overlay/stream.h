/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The live streams of others: what neighbours tell of them, their frames as they come, by whatever
 * way, each once, and when they open and close.
 * It owns what is known of each. It never decodes, orders or keeps a frame.
 *
 * Anybody may tell of a stream; only who holds the epoch key can make frames of it. So several of
 * one speaker and kind may be known, and a word alone neither opens one, nor closes one whose
 * frames still come: but the speaker's own, by its own link.
 */
#pragma once

#include "mesh/overlay/feed.h"
#include "mesh/overlay/frame.h"

#define STREAM_WINDOW 64 /* numbers below the last in which each frame is taken once */

typedef enum {
    STREAM_FREE,
    STREAM_LOCKED, /* under an epoch key that is not here yet */
    STREAM_TOLD,   /* no frame of it came, or it was closed: the next one opens it */
    STREAM_OPEN,
    STREAM_OVER, /* its speaker said so: what still comes of it is dropped */
} StreamState;

/* What is done so that it goes on when its pusher fails; see ask.h. */
typedef struct {
    uint64_t asks;     /* neighbours asked to push it, a bit each; */
    uint64_t asked_us; /* any was, last; 0: none yet */
    uint64_t tried;    /* since the last frame */
    uint32_t rounds;   /* everybody was, so often */
    uint32_t frames;   /* that came since it opened, at most STREAM_WINDOW */
    uint32_t count;    /* of the last frames so many came, */
    uint32_t bought;   /* so many of them first from one asked, */
    uint32_t spared;   /* and so often from one that was not, too; */
    uint64_t useful;   /* these brought some first */
    uint64_t turn;     /* of the map, when by the tree this neighbour was to push it: */
    uint32_t parent;   /* NEIGHBOUR_NONE: none but perhaps the speaker */
    uint32_t idle;     /* frames that came since it brought one */
    uint64_t vain;     /* who was to push it and brought nothing since, or false ones lately */
    uint64_t gaps_us;  /* one more was asked because many were missing */
    uint64_t quiet_us; /* no frame came: somebody is asked then; UINT64_MAX: not */
    uint64_t tell_us;  /* others are told how far it is here, not before */
    bool tell;         /* it is further than they were told */
} StreamWish;

/* How loud a voice is, of several; see loudest.h. */
typedef struct {
    uint32_t loud;      /* above the threshold of hearing, 1/16 dB, smoothed */
    uint64_t louder_us; /* than one that is passed on, since then; 0: it is not */
    bool passes;        /* it is one of those passed on */
} StreamVoice;

typedef struct {
    StreamState state;
    MeshKey speaker;
    MeshStreamKind kind;
    uint8_t id[FRAME_STREAM_ID_SIZE];
    uint8_t epoch_key[ENTRY_KEY_ID_SIZE];
    FrameKeys keys;  /* unless LOCKED */
    uint32_t stream; /* this node's number for it, as the program knows it, once open */

    /* as neighbours name it */
    uint8_t name;                  /* ours, on all links; 0: told to nobody yet */
    uint64_t tellers;              /* who told of it, a bit each, */
    uint8_t names[MESH_PEERS_MAX]; /* and under which name, by slot; 0: not */
    uint64_t told;                 /* who was told of it here */
    uint32_t first;                /* who told first; NEIGHBOUR_NONE: its link is gone */
    uint64_t told_us;              /* then */

    bool proven;          /* a frame of it was genuine */
    uint32_t word;        /* while none was: by whose word the next two are */
    uint32_t last_number; /* the highest */
    uint32_t last_time_ms;
    uint64_t seen;                /* bit i: the frame i before the last came, */
    uint16_t tags[STREAM_WINDOW]; /* and the end of its tag, by its number */
    bool paused;                  /* by it: none may follow for a while */
    uint64_t came_us;             /* a new one came, last; 0: none yet */
    uint32_t pusher;              /* from whom; NEIGHBOUR_NONE */
    uint64_t brought;             /* from whom any came since, a bit each, */
    uint64_t brought_before;      /* and in the seconds before */
    uint64_t brought_us;          /* then */
    uint64_t ended_us;            /* somebody said that it ended; 0: nobody */
    uint64_t lost_us;             /* no way to its speaker is known since then; 0: there is */
    uint64_t keyframe_us;         /* when a keyframe of it was last asked for; 0: never */

    FeedLoad load;
    StreamWish wish;
    StreamVoice voice;
} Stream;

typedef struct {
    Stream *streams;                    /* owned; secret; at most MESH_STREAMS_MAX */
    size_t used, capacity;              /* none from `used` on is in use */
    bool look;                          /* who can be reached may have changed */
    uint64_t digest;                    /* of the map, as it was when that was last looked at */
    uint64_t lacked_us[MESH_PEERS_MAX]; /* when one unknown here was last asked for; 0: never */
    uint64_t forged_us[MESH_PEERS_MAX]; /* when one brought a frame of nobody; 0: never */
    uint64_t paid_us[MESH_PEERS_MAX];   /* until then what a neighbour told fills what it may */
    uint32_t next_stream;
    uint8_t next_name;
} Streams;

void streams_finish(Mesh *mesh);
/* Makes room for so many, whereby they may move. False when memory is short. */
bool streams_reserve(Mesh *mesh, size_t count);
/* An epoch key is here: what was locked may open. */
void streams_epoch_changed(Mesh *mesh);
/* Streams of those who may not speak any more close. */
void streams_roster_changed(Mesh *mesh);
void streams_timeout(Mesh *mesh);
uint64_t streams_deadline_us(const Mesh *mesh);

/* Asks the speaker of a stream, by this node's number for it, for a keyframe; once a second.
 * UNKNOWN when there is no such picture. */
MeshError stream_keyframe(Mesh *mesh, uint32_t number);
MeshError stream_frame(Mesh *mesh, uint32_t slot, Bytes body);
/* Somebody below wants to be told of a stream, and a keyframe of it. */
MeshError stream_keyframe_received(Mesh *mesh, uint32_t slot, Bytes body);

/* Asks a neighbour to tell of a stream it named, and (pictures) for a keyframe: once a second by
 * `last_us`. */
void stream_ask(Mesh *mesh, uint32_t slot, uint8_t name, uint64_t *last_us);
/* A neighbour brings frames of it, by the name that it gave it. */
bool stream_comes_from(const Mesh *mesh, const Stream *stream, uint32_t slot);
/* The one heard of this speaker, or else the one that may be; NULL. */
Stream *stream_of(Mesh *mesh, const MeshKey *speaker, MeshStreamKind kind);
/* Its key is here and its speaker's word, or a frame, is: nothing stands against it. */
void stream_open(Mesh *mesh, Stream *stream);
/* A neighbour says that it ended: it closes unless frames still come. */
void stream_end(Mesh *mesh, Stream *stream, uint32_t slot);
/* Closes it if it is open, and says so to whom it was told; the next frame opens it again. */
void stream_close(Mesh *mesh, Stream *stream);
/* Closes and forgets it. */
void stream_forget(Mesh *mesh, Stream *stream);
/* Derives its keys, when the epoch key is here. */
bool stream_unlock(Mesh *mesh, Stream *stream);

/* ---- told.c: what neighbours say of streams ---- */

/* The body of MESSAGE_STREAM. */
typedef struct {
    uint8_t name; /* of the stream on this link, from who says so */
    MeshStreamKind kind;
    MeshKey speaker;
    uint8_t id[FRAME_STREAM_ID_SIZE];
    uint8_t epoch_key[ENTRY_KEY_ID_SIZE];
    uint32_t last_number, last_time_ms;
} StreamWord;

#define STREAM_WORD_SIZE (2 + MESH_KEY_SIZE + FRAME_STREAM_ID_SIZE + ENTRY_KEY_ID_SIZE + 4 + 4)

void told_write(const StreamWord *word, uint8_t ret_body[STREAM_WORD_SIZE]);
MeshError told_stream(Mesh *mesh, uint32_t slot, Bytes body);
MeshError told_stream_end(Mesh *mesh, uint32_t slot, Bytes body);
/* A neighbour's link is gone: it names nothing any more. */
void told_lost(Mesh *mesh, uint32_t slot);
/* The stream that a neighbour, or this node, names so; NULL. */
Stream *told_find(Mesh *mesh, uint32_t slot, uint8_t name);
Stream *told_find_own(Mesh *mesh, uint8_t name);
/* The speaker's own link tells of it. */
bool told_by_speaker(const Mesh *mesh, const Stream *stream);
/* A name that no stream has here on the links. */
uint8_t told_name(Mesh *mesh);
