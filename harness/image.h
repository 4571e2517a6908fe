/* image.h - what a fork copies of a process. */
#ifndef SOLO__IMAGE_H
#define SOLO__IMAGE_H

/*
 * From now on children begin with all the code mapped that is mapped here. The system leaves that out, because most
 * children soon become another program; ours would then stop for each stretch of code that they come to.
 */
void solo__image_keep_code(void);

#endif
