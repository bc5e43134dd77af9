/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/french/french.h"

#include <stddef.h>

/* clang-format off */
const FrenchSentence french_core[] = {
    /* How the core ends a call. */
    {"done", "fait"},
    {"not for this meeting", "ne concerne pas cette réunion"},
    {"malformed bytes", "données mal formées"},
    {"authentication failed", "authentification impossible"},
    {"already received", "déjà reçu"},
    {"a limit is reached", "une limite est atteinte"},
    {"too large", "trop volumineux"},
    {"out of memory", "mémoire insuffisante"},
    {"not possible now", "impossible pour l’instant"},
    {"no such item", "élément introuvable"},
    {"your role does not allow it", "votre qualité ne le permet pas"},
    {"invalid argument", "valeur non admise"},
    {"the store refused: nothing was recorded",
     "l’enregistrement a échoué : rien n’a été conservé"},
    {"the ticket is mistyped: check it, or ask for it again",
     "l’invitation est mal recopiée : vérifiez-la ou redemandez-la"},
    {"the ticket comes from a newer version: update Maillon",
     "l’invitation provient d’une version plus récente : mettez Maillon à jour"},
    {"the ticket has expired: ask for a new one",
     "l’invitation a expiré : demandez-en une nouvelle"},
    {"the ticket is used up: ask for a new one",
     "l’invitation a déjà servi : demandez-en une nouvelle"},
    {"the ticket was revoked: ask for a new one",
     "l’invitation a été révoquée : demandez-en une nouvelle"},
    {"no member recognises this ticket", "aucun membre ne reconnaît cette invitation"},
    {"no member answered: is one of their nodes running and in reach? "
     "Otherwise join by hand (`join --by-hand`)",
     "aucun membre n’a répondu : l’un de leurs nœuds tourne-t-il, et est-il joignable ? "
     "Sinon, rejoignez à la main (`join --by-hand`)"},
    {"this node is already in the meeting", "ce poste participe déjà à la réunion"},
    {"the motion is closed", "le scrutin est clos"},
    {"the ticket is for a relay: `maillon start --relay TICKET`, in a home of its own",
     "l’invitation est pour un relais : `maillon start --relay INVITATION`, dans un dossier à lui"},
    {"the ticket is for a person, not for a relay: `maillon join TICKET`, or ask for one made by "
     "`invite --role relay`",
     "l’invitation est pour une personne, non pour un relais : `maillon join INVITATION`, ou "
     "demandez-en une faite par `invite --role relay`"},
    {"this node is a relay: it carries for the meeting, holds no key of it, and takes no part in it",
     "ce poste est un relais : il transporte pour la réunion, n’en a aucune clé et n’y prend pas "
     "part"},

    /* The bus and its client. */
    {"the request is not readable", "la demande est illisible"},
    {"unknown command", "commande inconnue"},
    {"too many commands at once", "trop de commandes à la fois"},
    {"no node is running here (%s); start one with `maillon start`",
     "Maillon n’est pas en service ici (%s) ; lancez `maillon start`"},
    {"the node ended before it answered", "Maillon s’est arrêté avant de répondre"},
    {"the node does not answer", "Maillon ne répond pas"},

    /* The store. */
    {"the disk refuses to write %s: %s; nothing was recorded",
     "le disque refuse d’écrire %s : %s ; rien n’a été enregistré"},
    {"no room on the disk for %s: nothing was recorded",
     "plus de place sur le disque pour %s : rien n’a été enregistré"},
    {"another program has %s open", "%s est ouvert par un autre programme"},
    {"%s cannot be used: %s", "%s est inutilisable : %s"},
    {"%s was written by a newer version: update Maillon",
     "%s provient d’une version plus récente : mettez Maillon à jour"},
    {"It was left as it is. Put back a copy of the whole folder, or move the folder away and join "
     "your meetings again: their other members hold them.",
     "Rien n’y a été modifié. Remettez en place une copie du dossier entier, ou déplacez ce "
     "dossier et rejoignez vos réunions : leurs autres membres en détiennent le contenu."},
    {"%s is damaged.", "%s est endommagé."},
    {"%s is missing.", "%s est absent."},
    {"%s lacks what was recorded last.", "%s ne contient pas les derniers enregistrements."},
    {"another node runs on %s", "Maillon est déjà en service sur %s"},
    {"not enough memory to check the passphrase",
     "mémoire insuffisante pour vérifier la phrase secrète"},
    {"%s is locked by a passphrase", "%s est protégé par une phrase secrète"},
    {"wrong passphrase for %s", "phrase secrète erronée pour %s"},

    /* The network. */
    {"the network port %d is taken by another program",
     "le port réseau %d est occupé par un autre programme"},
    {"the network port cannot be opened: %s", "le port réseau ne peut être ouvert : %s"},
    {"the network interfaces cannot be read", "les interfaces réseau sont illisibles"},
    {"%s: a STUN server is given as ADDRESS:PORT, in numbers",
     "%s : un serveur STUN s’écrit ADRESSE:PORT, en chiffres"},
    {NULL, NULL},
};
