/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every way a call of mesh/ can end. It owns the list and its English sentences.
 * It never carries state: a bad packet is an error returned and counted, nothing more.
 */
#pragma once

#define MESH_ERRORS(X)                                                                             \
    X(MESH_OK, "done")                                                                             \
    X(MESH_ERROR_FOREIGN, "not for this meeting")                                                  \
    X(MESH_ERROR_MALFORMED, "malformed bytes")                                                     \
    X(MESH_ERROR_FORGED, "authentication failed")                                                  \
    X(MESH_ERROR_REPLAYED, "already received")                                                     \
    X(MESH_ERROR_FULL, "a limit is reached")                                                       \
    X(MESH_ERROR_TOO_LARGE, "too large")                                                           \
    X(MESH_ERROR_NO_MEMORY, "out of memory")                                                       \
    X(MESH_ERROR_STATE, "not possible now")                                                        \
    X(MESH_ERROR_UNKNOWN, "no such item")                                                          \
    X(MESH_ERROR_FORBIDDEN, "your role does not allow it")                                         \
    X(MESH_ERROR_INVALID, "invalid argument")                                                      \
    X(MESH_ERROR_STORE, "the store refused: nothing was recorded")                                 \
    X(MESH_ERROR_TICKET_MISTYPED, "the ticket is mistyped: check it, or ask for it again")         \
    X(MESH_ERROR_TICKET_VERSION, "the ticket comes from a newer version: update Maillon")          \
    X(MESH_ERROR_TICKET_EXPIRED, "the ticket has expired: ask for a new one")                      \
    X(MESH_ERROR_TICKET_USED, "the ticket is used up: ask for a new one")                          \
    X(MESH_ERROR_TICKET_REVOKED, "the ticket was revoked: ask for a new one")                      \
    X(MESH_ERROR_TICKET_REFUSED, "no member recognises this ticket")                               \
    X(MESH_ERROR_UNREACHABLE, "no member answered: is one of their nodes running and in reach? "   \
                              "Otherwise join by hand (`join --by-hand`)")                         \
    X(MESH_ERROR_ALREADY_MEMBER, "this node is already in the meeting")                            \
    X(MESH_ERROR_CLOSED, "the motion is closed")                                                   \
    X(MESH_ERROR_TICKET_RELAY, "the ticket is for a relay: `maillon start --relay TICKET`, in a "  \
                               "home of its own")                                                  \
    X(MESH_ERROR_TICKET_MEMBER, "the ticket is for a person, not for a relay: `maillon join "      \
                                "TICKET`, or ask for one made by `invite --role relay`")           \
    X(MESH_ERROR_RELAY, "this node is a relay: it carries for the meeting, holds no key of it, "   \
                        "and takes no part in it")

typedef enum {
#define MESH_ERROR_NAME(name, text) name,
    MESH_ERRORS(MESH_ERROR_NAME)
#undef MESH_ERROR_NAME
} MeshError;

/* The English sentence of an error; never NULL. */
const char *mesh_error_text(MeshError error);
/* Its name as written above, for programs; never NULL. */
const char *mesh_error_name(MeshError error);
