using System.Collections.Concurrent;
using System.Globalization;

namespace ImapDirector.Network.Polling;

/// <summary>The runtime's own epoll descriptors. A socket that it has once waited for stays registered with one of them until it is closed, and each event
/// would go on waking a thread that has nothing to do with it.</summary>
/// <remarks>Where they are not found, or the socket is with none of them, nothing changes but that those threads are woken. What has been taken from them may be
/// used without waiting, and closed; it must not be waited for through the runtime any more.</remarks>
internal static class RuntimePollers
{
    private static readonly ConcurrentDictionary<int, bool> Ours = new();
    private static int[] Known = [];

    /// <summary>A loop's own poller is none of them.</summary>
    public static void Exclude(int poller) => Ours[poller] = true;

    /// <summary>It is closed.</summary>
    public static void Include(int poller) => Ours.TryRemove(poller, out _);

    /// <summary>Whether they are found.</summary>
    public static bool AreKnown => Found.Length > 0;

    /// <summary>Takes a socket from them.</summary>
    public static void Forget(int socket)
    {
        foreach (var poller in Found) _ = LinuxCalls.Control(poller, LinuxCalls.Delete, socket, PollEvents.None, 0);
    }

    // None may mean that there was no descriptor left to look for them with.
    private static int[] Found => Volatile.Read(ref Known) is { Length: > 0 } found ? found : Known = Find();

    /// <summary>All epoll descriptors of the process but those of loops: the runtime makes its own when the first socket is waited for, and keeps them.</summary>
    private static int[] Find()
    {
        try
        {
            return [.. Directory.EnumerateFiles("/proc/self/fd").Where(IsPoller).Select(static file => int.Parse(Path.GetFileName(file), CultureInfo.InvariantCulture)).Where(static poller => !Ours.ContainsKey(poller))];
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool IsPoller(string file)
    {
        try
        {
            return File.ResolveLinkTarget(file, returnFinalTarget: false)?.Name.Contains("[eventpoll]", StringComparison.Ordinal) == true;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
