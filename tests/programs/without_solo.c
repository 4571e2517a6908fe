/* without_solo.c - a program that does not use the kit: it cannot be explored. */
#include <stdio.h>

int main(void)
{
    printf("nothing to see\n");
    return 0;
}
