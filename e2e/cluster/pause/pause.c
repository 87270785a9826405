/* The process that holds a pod's namespaces. In a pod whose containers share
 * one process namespace it is process 1, and so has to reap what others leave. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void reap(int signal)
{
	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void leave(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	struct sigaction reaping = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
	struct sigaction leaving = {.sa_handler = leave};

	if (sigaction(SIGCHLD, &reaping, NULL) || sigaction(SIGTERM, &leaving, NULL) ||
	    sigaction(SIGINT, &leaving, NULL))
		return 1;
	for (;;)
		pause();
}
