using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Network;

/// <summary>Counts connections by address (IPv6 by /64) and in all (limits P12). The caller releases a connection from
/// the per-address count once it has authenticated. When all places are taken, the oldest connection that has not
/// authenticated makes room; there is none for a newcomer only when everybody has.</summary>
public sealed class ConnectionLimits
{
    private readonly int _maxConnections;
    private readonly int _maxPerAddress;
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private readonly LinkedList<Permit> _strangers = new();
    private int _count;

    /// <summary>Makes the counters.</summary>
    /// <param name="maxConnections">In all, 1 to 1,000,000.</param>
    /// <param name="maxPerAddress">Not yet authenticated, from one IPv4 address or IPv6 /64.</param>
    public ConnectionLimits(int maxConnections, int maxPerAddress)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxConnections, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxConnections, 1_000_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPerAddress, 1);
        (_maxConnections, _maxPerAddress) = (maxConnections, maxPerAddress);
    }

    /// <summary>Counts a connection in; <c>null</c> when it is one too many.</summary>
    /// <param name="address">Where it comes from.</param>
    /// <param name="evict">Closes it, when it is the one that has to make room; called at most once, from any thread.</param>
    public Permit? TryEnter(IPAddress address, Action? evict = null)
    {
        var network = NetworkOf(address);
        Permit? evicted = null;
        Permit entered;
        lock (_lock)
        {
            var fromThere = _byAddress.GetValueOrDefault(network);
            if (fromThere >= _maxPerAddress) return null;
            if (_count >= _maxConnections)
            {
                evicted = _strangers.First?.Value;
                if (evicted is null) return null;
                Leave(evicted);
                // It may have been from the same address.
                fromThere = _byAddress.GetValueOrDefault(network);
            }
            _byAddress[network] = fromThere + 1;
            _count++;
            entered = new Permit(this, network, evict);
            _strangers.AddLast(entered.Place);
        }
        evicted?.Evict();
        return entered;
    }

    private void Authenticated(Permit permit)
    {
        lock (_lock) LeaveStrangers(permit);
    }

    private void Leave(Permit permit)
    {
        lock (_lock)
        {
            LeaveStrangers(permit);
            if (permit.HasLeft) return;
            permit.HasLeft = true;
            _count--;
        }
    }

    private void LeaveStrangers(Permit permit)
    {
        if (permit.Place.List is null) return;
        _strangers.Remove(permit.Place);
        if (--_byAddress[permit.Network] == 0) _byAddress.Remove(permit.Network);
    }

    private static IPAddress NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    /// <summary>One counted connection.</summary>
    public sealed class Permit : IDisposable
    {
        private readonly ConnectionLimits _limits;
        private readonly Action? _evict;

        internal Permit(ConnectionLimits limits, IPAddress network, Action? evict)
        {
            (_limits, Network, _evict) = (limits, network, evict);
            Place = new LinkedListNode<Permit>(this);
        }

        internal IPAddress Network { get; }

        internal LinkedListNode<Permit> Place { get; }

        internal bool HasLeft { get; set; }

        /// <summary>The client has authenticated: it no longer counts against its address, and is not asked to make room.</summary>
        public void Authenticated() => _limits.Authenticated(this);

        /// <summary>The connection is gone.</summary>
        public void Dispose() => _limits.Leave(this);

        internal void Evict() => _evict?.Invoke();
    }
}
