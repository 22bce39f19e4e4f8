using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace ImapDirector.ClusterRun.Machines;

/// <summary>Where the programs of a cluster are: in a sandbox with a network, hosts with namespaces of their own around a router, which is this process; else addresses
/// of the loopback network.</summary>
internal sealed class TestNetwork : IAsyncDisposable
{
    private readonly List<Process> _holders = [];
    private readonly Dictionary<string, TestHost> _hosts = [];
    private readonly byte _block;
    private int _clients;
    private int _cuts = 1000;

    private TestNetwork(byte block) => _block = block;

    /// <summary>Whether hosts can be cut from one another.</summary>
    public bool CanCut { get; } = Sandbox.HasNetwork;

    /// <summary>This process, which clients connect from and foreign nodes run on.</summary>
    public TestHost Router { get; private set; } = null!;

    /// <summary>All addresses of the hosts and clients.</summary>
    public string Everything => CanCut ? "10.0.0.0/8" : "127.0.0.0/8";

    public static async Task<TestNetwork> CreateAsync(params IEnumerable<string> hosts)
    {
        // Two clusters on one loopback network do not meet: each has a block of addresses.
        var network = new TestNetwork((byte)Random.Shared.Next(100, 250));
        if (network.CanCut)
        {
            await Launcher.MustRunAsync("sh", "-c", "ip link set lo up && ip route add local 10.64.0.0/10 dev lo && ip address add 10.200.0.1/32 dev lo && echo 1 >/proc/sys/net/ipv4/ip_forward");
        }
        network.Router = new TestHost("router", network.AddressOf(0, 1), []);
        foreach (var name in hosts) network._hosts[name] = await network.AddAsync(name, network._hosts.Count + 1);
        return network;
    }

    public TestHost this[string name] => _hosts[name];

    /// <summary>An address that no client had before: what a log says of it is about one connection.</summary>
    public IPAddress NextClient()
    {
        var number = Interlocked.Increment(ref _clients);
        return new IPAddress([(byte)(CanCut ? 10 : 127), (byte)(64 + (number >> 16)), (byte)(number >> 8), (byte)number]);
    }

    /// <summary>Lets nothing pass between these and those any more; connections are silent, as behind a broken cable.</summary>
    /// <returns>Undoes it.</returns>
    public async Task<Func<Task>> CutAsync(IEnumerable<TestHost> these, IEnumerable<TestHost> those)
    {
        if (!CanCut) throw new InvalidOperationException("There is no network to cut.");
        // Two cuts may be between the same hosts: each has a number, and undoing one leaves the other.
        var number = Interlocked.Increment(ref _cuts);
        (string From, string To)[] ways = [.. from one in these
                                              from other in those
                                              from way in new[] { ($"{one.Address}", $"{other.Address}"), ($"{other.Address}", $"{one.Address}") }
                                              select way];
        await ChangeAsync("add");
        return () => ChangeAsync("del");

        Task ChangeAsync(string what) => Launcher.MustRunAsync("sh", "-ec", string.Join('\n', ways.Select(way => $"ip rule {what} pref {number} from {way.From} to {way.To} blackhole")));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var holder in _holders)
        {
            holder.Kill();
            await holder.WaitForExitAsync();
            holder.Dispose();
        }
    }

    private async Task<TestHost> AddAsync(string name, int number)
    {
        if (!CanCut) return new TestHost(name, AddressOf(number, 1), []);
        var holder = await Launcher.StartAsync(new ProcessStartInfo("unshare", ["--net", "sleep", "infinity"]));
        _holders.Add(holder);
        var own = File.ResolveLinkTarget("/proc/self/ns/net", false)!.Name;
        while (File.ResolveLinkTarget($"/proc/{holder.Id}/ns/net", false)!.Name == own) await Task.Delay(5);
        string[] enter = ["nsenter", $"--net=/proc/{holder.Id}/ns/net", "--"];
        var (near, far) = (AddressOf(number, 1), AddressOf(number, 2));
        await Launcher.MustRunAsync("sh", "-ec", string.Create(CultureInfo.InvariantCulture, $"""
            ip link add host{number} type veth peer name eth0 netns {holder.Id}
            ip address add {near}/24 dev host{number}
            ip link set host{number} up
            {string.Join(' ', enter)} sh -ec 'ip link set lo up; ip address add {far}/24 dev eth0; ip link set eth0 up; ip route add default via {near}'
            """));
        return new TestHost(name, far, enter);
    }

    private IPAddress AddressOf(int number, byte last) => CanCut ? new IPAddress([10, 200, (byte)number, last]) : new IPAddress([127, 0, _block, (byte)(number + 1)]);
}

/// <summary>A place where programs run.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Its address.</param>
/// <param name="Enter">What a command begins with that is to run there.</param>
internal sealed record TestHost(string Name, IPAddress Address, string[] Enter);
