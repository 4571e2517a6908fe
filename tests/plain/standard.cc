/*
 * standard.cc - threads of C++: std::thread, mutexes, conditions, futures, call_once, thread_local; checked with assert.
 *
 * usage: standard [lost|alone]    lost: an update is lost between two lock sections; alone: nobody wakes a thread
 */
#undef NDEBUG
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::mutex lock;
static std::condition_variable changed;
static int counter, ended, begun;

struct Ending {
    ~Ending()
    {
        std::lock_guard<std::mutex> guard(lock);
        ended++;
    }
};

static void add()
{
    static std::once_flag once;
    thread_local Ending ending;
    (void)ending;
    std::call_once(once, [] { begun++; });
    std::lock_guard<std::mutex> guard(lock);
    counter++;
    changed.notify_one();
}

static int lost()
{
    auto in_two = [] {
        lock.lock();
        int seen = counter;
        lock.unlock();
        lock.lock();
        counter = seen + 1;
        lock.unlock();
    };
    std::thread one(in_two), other(in_two);
    one.join();
    other.join();
    return counter == 2 ? 0 : 1;
}

/* Waits in a function of the C++ library. */
int wait_for_nobody()
{
    std::thread waiting([] {
        std::unique_lock<std::mutex> guard(lock);
        changed.wait(guard, [] { return counter == 100; });
    });
    waiting.join();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && std::string(argv[1]) == "alone") {
        return wait_for_nobody();
    }
    if (argc > 1 && std::string(argv[1]) == "lost") {
        return lost();
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) {
        threads.emplace_back(add);
    }
    {
        std::unique_lock<std::mutex> guard(lock);
        changed.wait(guard, [] { return counter == 2; });
        assert(!changed.wait_for(guard, std::chrono::hours(1), [] { return counter == 3; }));
    }
    for (auto &thread : threads) {
        thread.join();
    }
    assert(begun == 1 && ended == 2);

    std::future<int> answer = std::async(std::launch::async, [] {
        std::this_thread::sleep_for(std::chrono::hours(1));
        return 42;
    });
    assert(answer.get() == 42);
    std::promise<void> promise;
    std::thread breaker([&] { promise.set_exception(std::make_exception_ptr(std::runtime_error("no"))); });
    try {
        promise.get_future().get();
        assert(false);
    } catch (const std::runtime_error &) {
    }
    breaker.join();

    std::shared_mutex shared;
    shared.lock_shared();
    assert(!shared.try_lock());
    shared.unlock_shared();
    return std::random_device()() == 0 ? 2 : 0;
}
