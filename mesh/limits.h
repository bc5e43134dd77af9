/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every maximum of mesh/. It owns the numbers; past each of them something is refused or dropped,
 * and counted. It never holds a size that a format fixes: those live beside their format.
 */
#pragma once

/* People and links. */
#ifndef MESH_MEMBERS_MAX
#define MESH_MEMBERS_MAX 256 /* roster entries, expelled members included */
#endif
#define MESH_PEERS_MAX     64  /* nodes this one handshakes or is linked with at once */
#define MESH_ADDRESSES_MAX 8   /* known addresses of one node */
#define MESH_NEARBY_MAX    4   /* of whom one neighbour is told where they are */
#define MESH_EDGES_MAX     64  /* links that one node declares in the map */
#define MESH_HOPS_MAX      12  /* neighbours that pass one datagram on */
#define MESH_TREES_MAX     16  /* ways to spread from one source that are kept computed */
#define MESH_OUTDONE_MAX   3   /* records of our own that we did not make: more are a copy's */
#define MESH_STRANGERS_MAX 32  /* of the map, kept until their authors are in the roster */
#define MESH_ASKED_MAX     64  /* records of it that are asked of one neighbour alone */
#define MESH_INVITES_MAX   256 /* tickets ever published in one meeting */
#define MESH_NAME_MAX      64  /* bytes of a person's name */
#define MESH_TITLE_MAX     200 /* bytes of a meeting's title */

/* Datagrams and messages, bytes. */
#define MESH_DATAGRAM_MAX      1452  /* UDP payload: fits 1500 by IPv6, once tried */
#define MESH_DATAGRAM_SAFE_MAX 1200  /* the same on any path: fits the IPv6 minimum of 1280 */
#define MESH_MESSAGE_MAX       65000 /* one message of a link */
#define MESH_OFFER_MAX         700   /* an ICE offer in its text form */
#define MESH_TICKET_MAX        160   /* characters: one SMS */
#define MESH_CODE_MAX          2600  /* characters of a code exchanged by hand */
#define MESH_QUEUE_BYTES_MAX   (512 * 1024) /* waiting in the queue of one link */
#define MESH_QUEUE_COUNT_MAX   512          /* messages waiting in the queue of one link */
#define MESH_INFLIGHT_MAX      1024         /* packets of one link awaiting acknowledgement */
#define MESH_PARTS_MAX         96           /* messages of one priority received in part, */
#define MESH_PARTS_BYTES_MAX   (384 * 1024) /* and their bytes */
#define MESH_REPLAY_MAX        2048         /* packets of the replay window */
#define MESH_HAILS_MAX         32           /* hails answered per second */
#define MESH_HALF_OPEN_MAX     32           /* handshakes answered and not yet confirmed */
#define MESH_KEYS_MAX          8            /* agreed with one node: in use, former, or waiting */
#define MESH_EFFECTS_MAX       4096         /* effects waiting to be pulled */
#define MESH_COPIES_MAX        4            /* times a live voice message is sent, repairs apart */

/* The journal. */
#define MESH_ENTRY_MAX       8192                    /* bytes of one entry */
#define MESH_ENTRY_PLAIN_MAX (MESH_ENTRY_MAX - 1024) /* bytes sealed in one entry */
#define MESH_ENTRIES_MAX     200000                  /* entries of one meeting */
#define MESH_PENDING_MAX     4096                    /* entries waiting for the ones they cite */
#define MESH_CHAINS_MAX      4096  /* chains: one per member and run of its node */
#define MESH_CITED_MAX       16    /* heads one entry cites */
#define MESH_TEXT_MAX        4096  /* bytes of a chat message or of a motion */
#define MESH_CUTS_MAX        128   /* chains one expulsion cuts */
#define MESH_ROSTER_CUTS_MAX 2048  /* chains all expulsions cut */
#define MESH_AUTHORS_MAX     1024  /* keys that acts of admission name, void ones included */
#define MESH_EPOCHS_MAX      64    /* epochs of one meeting whose keys are kept */
#define MESH_EARLY_MAX       65536 /* bytes of entries that come before the WELCOME they follow */
#define MESH_ITEM_KEY_MAX    40    /* bytes of the key of a stored item */

/* Relays. */
#define MESH_STORE_MAX            (256 * 1024 * 1024) /* bytes of entries kept, unless told */
#define MESH_STORE_AUTHOR_DIVISOR 4                   /* of them, of one author: a quarter */
#define MESH_RELAY_PUSHES_MAX     32 /* neighbours a relay pushes one stream to, as it has links */
#define MESH_GUESTS_MAX           16 /* strangers a relay passes on for at once, */
#define MESH_GUESTS_HOST_MAX      4  /* of them from one address */
#define MESH_GUEST_BYTES_MAX      65536   /* for one, to and fro, while it is in no roster */
#define MESH_GUEST_KNOCKS_MAX     16      /* a second, of all whom nobody answered yet */
#define MESH_CARRIED_RATE_MAX     1000000 /* bytes a second carried for one neighbour */

/* Documents. */
#define MESH_DOCUMENTS_MAX      1024
#define MESH_DOCUMENT_NAME_MAX  255                 /* bytes */
#define MESH_DOCUMENT_SIZE_MAX  (100 * 1024 * 1024) /* bytes */
#define MESH_BLOCKS_WANTED_MAX  128                 /* blocks asked of one peer at once */
#define MESH_BLOCKS_AHEAD_MAX   16                  /* asked before what they are checked by came */
#define MESH_BLOCKS_OFFERED_MAX 16                  /* sent to one peer unasked */

/* Motions. */
#define MESH_MOTIONS_MAX 512
#define MESH_CHOICES_MAX 16
#define MESH_CHOICE_MAX  40 /* bytes */
#define MESH_BALLOTS_MAX 64 /* ballots of one voter in one motion, replaced ones included */

/* Hands. */
#define MESH_HAND_PAUSE_S   5 /* a hand goes up or down so often in the long run, */
#define MESH_HAND_BURST_MAX 6 /* and so many times at once */

/* Voice messages. */
#define MESH_VOICE_MS_MAX       120000                       /* one message, its pauses included */
#define MESH_VOICE_PARTS_MAX    64                           /* entries it may take */
#define MESH_VOICE_FRAMES_MAX   (MESH_ENTRY_PLAIN_MAX - 128) /* bytes of frames in one of them */
#define MESH_VOICE_FRAME_MS_MAX 120
#define MESH_VOICE_CODEC_MAX    15

/* Media. */
#define MESH_STREAMS_MAX      64    /* streams of others known at once, silent and false ones too */
#define MESH_STREAMS_OPEN_MAX 16    /* of them those heard, or seen */
#define MESH_FRAME_MAX        60000 /* bytes of one encoded frame */
#define MESH_VOICES_MAX       3     /* voices of others passed on: the loudest */
#define MESH_PUSHES_MAX       8     /* nodes one stream is pushed to while the lines are unknown */
#define MESH_ASKS_MAX         64    /* neighbours that asked for streams, each counted per stream */
#define MESH_ASK_S_MAX        30    /* seconds for which a neighbour may ask, then again */
