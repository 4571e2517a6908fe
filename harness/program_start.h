/* program_start.h - the program under test as a fork server: started, greeted, listened to, ended. */
#ifndef SOLO__PROGRAM_START_H
#define SOLO__PROGRAM_START_H

#include "program_protocol.h"
#include "subject.h"

/* Starts the server if it does not run yet. As solo_explore_program; subject->why may say more. */
int solo__server_ensure(struct solo__subject *subject, enum solo__start start);

/* Waits for its next message, up to limit_ms (-1: for ever). Meanwhile questions are answered and progress is shown. */
int solo__server_receive(struct solo__subject *subject, struct solo__server *server, struct solo__message *message,
                         int limit_ms);

/* It does not answer any more: leaves one sentence about it in subject->why. Returns -EIO. */
int solo__server_lost(struct solo__subject *subject, struct solo__server *server);

/* Ends it: a server leaves when its line is closed; anything else is killed. */
void solo__server_stop(struct solo__server *server);

/* A program's name as tokens have it: letters, digits, '-' and '_' of its base name. */
void solo__program_name(const char *path, char name[SOLO_SCENARIO_NAME_MAX]);

#endif
