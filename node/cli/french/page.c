/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/french/french.h"

#include <stddef.h>

/* clang-format off */
const FrenchSentence french_page[] = {
    /* The page; the first is the language's own code. */
    {"en", "fr"},
    {"The node is being asked…", "Interrogation du poste…"},
    {"This home is not locked: whoever copies it reads the meetings.",
     "Ce dossier n’est pas verrouillé : qui le copie lit les réunions."},
    {"This page needs JavaScript; `maillon status` says the same.",
     "Cette page requiert JavaScript ; `maillon status` donne les mêmes indications."},
    {"In no meeting yet. In a terminal: `maillon meeting create TITLE` or `maillon join TICKET`.",
     "Aucune réunion pour l’instant. Dans un terminal : `maillon meeting create INTITULÉ` ou "
     "`maillon join INVITATION`."},
    {"Nobody else is in the meeting yet: `maillon invite` prints a ticket for others.",
     "Personne d’autre n’est encore dans la réunion : `maillon invite` établit une invitation."},
    {"What follows is as of", "Ce qui suit date de"},
    {"Name", "Nom"},
    {"State", "État"},
    {"Path", "Voie"},
    {"Delay", "Délai"},
    {"Loss", "Pertes"},
    {"Rate", "Débit"},
    {"current", "en cours"},
    {"expelled", "exclu"},
    {"members", "membres"},
    {"The node does not answer. Does it still run?",
     "Le poste ne répond pas. Est-il toujours en service ?"},
    {"The node refuses: an address is good for one browser. `maillon page` prints another.",
     "Le poste refuse : une adresse ne sert qu’à un navigateur. `maillon page` en affiche une "
     "autre."},
    {"print an address of the page, good for one browser",
     "afficher une adresse de la page, valable pour un navigateur"},
    {"change the name others see in meetings created or joined from now on",
     "changer le nom que verront les autres dans les réunions créées ou rejointes désormais"},
    {"this node was started without its page", "ce poste a été lancé sans sa page"},
    {"write the journal into a file, to be carried to members who cannot be reached",
     "écrire le journal dans un fichier, à porter aux membres injoignables"},
    {"take in the journal another member exported",
     "reprendre le journal exporté par un autre membre"},
    {"what `bundle export` wrote", "ce qu’a écrit `bundle export`"},
    {"this file is no bundle of Maillon", "ce fichier n’est pas un paquet de Maillon"},
    {"this bundle is of a meeting this node is not in",
     "ce paquet est celui d’une réunion dont ce nœud ne fait pas partie"},
    {"%u entries of the file are damaged or of no use here; %u new ones were taken",
     "%u écritures du fichier sont abîmées ou sans usage ici ; %u nouvelles ont été reprises"},
    {NULL, NULL},
};
