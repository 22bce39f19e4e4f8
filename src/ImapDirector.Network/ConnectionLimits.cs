using System.Net;

namespace ImapDirector.Network;

/// <summary>Counts connections by address (IPv6 by /64) and in all (limits P12). The caller releases a connection from
/// the per-address count once it has authenticated. When all places are taken, the oldest connection that has not
/// authenticated makes room; there is none for a newcomer only when everybody has.</summary>
public sealed class ConnectionLimits
{
    private const int Ipv6PrefixBytes = 8;

    private int _maxConnections;
    private int _maxPerAddress;
    private readonly Func<IPAddress, bool> _isShared;
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private readonly LinkedList<Permit> _strangers = new();
    private int _count;

    /// <summary>Makes the counters.</summary>
    /// <param name="maxConnections">In all, 1 to 1,000,000.</param>
    /// <param name="maxPerAddress">Not yet authenticated, from one IPv4 address or IPv6 /64.</param>
    /// <param name="isShared">Whether many clients come from an address, as from a load balancer's: it is not counted by itself; what comes from it
    /// is, once <see cref="Permit.TryMoveTo"/> has told whose it is.</param>
    public ConnectionLimits(int maxConnections, int maxPerAddress, Func<IPAddress, bool>? isShared = null)
    {
        _isShared = isShared ?? (_ => false);
        Change(maxConnections, maxPerAddress);
    }

    /// <summary>Other limits from here on. Connections that are there stay, whatever they are.</summary>
    /// <param name="maxConnections">In all, 1 to 1,000,000.</param>
    /// <param name="maxPerAddress">Not yet authenticated, from one IPv4 address or IPv6 /64.</param>
    public void Change(int maxConnections, int maxPerAddress)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxConnections, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxConnections, 1_000_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPerAddress, 1);
        lock (_lock) (_maxConnections, _maxPerAddress) = (maxConnections, maxPerAddress);
    }

    /// <summary>Counts a connection in; <c>null</c> when it is one too many.</summary>
    /// <param name="address">Where it comes from.</param>
    /// <param name="evict">Closes it, when it is the one that has to make room; called at most once, from any thread.</param>
    public Permit? TryEnter(IPAddress address, Action? evict = null)
    {
        var network = _isShared(address) ? null : NetworkOf(address);
        Action? makeRoom = null;
        Permit entered;
        lock (_lock)
        {
            if (IsFull(network)) return null;
            if (_count >= _maxConnections)
            {
                if (_strangers.First?.Value is not { } oldest) return null;
                makeRoom = oldest.Evict;
                Leave(oldest);
            }
            Count(network, 1);
            _count++;
            entered = new Permit(this, network, evict);
            _strangers.AddLast(entered.Place!);
        }
        makeRoom?.Invoke();
        return entered;
    }

    private bool TryMove(Permit permit, IPAddress address)
    {
        var network = _isShared(address) ? null : NetworkOf(address);
        lock (_lock)
        {
            // Who has authenticated, or left, counts for no address.
            if (permit.Place is null || Equals(network, permit.Network)) return true;
            if (IsFull(network)) return false;
            Count(permit.Network, -1);
            Count(network, 1);
            permit.Network = network;
            return true;
        }
    }

    private bool IsFull(IPAddress? network) => network is not null && _byAddress.GetValueOrDefault(network) >= _maxPerAddress;

    private void Count(IPAddress? network, int by)
    {
        if (network is null) return;
        var count = _byAddress.GetValueOrDefault(network) + by;
        if (count == 0) _byAddress.Remove(network);
        else _byAddress[network] = count;
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
        if (permit.Place is not { } place) return;
        _strangers.Remove(place);
        Count(permit.Network, -1);
        permit.Settle();
    }

    private static IPAddress NetworkOf(IPAddress address) => ClientNetwork.Of(address, Ipv6PrefixBytes);

    /// <summary>One counted connection.</summary>
    public sealed class Permit : IDisposable
    {
        private readonly ConnectionLimits _limits;
        internal Permit(ConnectionLimits limits, IPAddress? network, Action? evict)
        {
            (_limits, Network, Evict) = (limits, network, evict);
            Place = new LinkedListNode<Permit>(this);
        }

        internal IPAddress? Network { get; set; }

        // Of a stranger alone, as what it is evicted by: who has logged in may stay for days.
        internal LinkedListNode<Permit>? Place { get; private set; }

        internal Action? Evict { get; private set; }

        internal bool HasLeft { get; set; }

        /// <summary>The client has authenticated: it no longer counts against its address, and is not asked to make room.</summary>
        public void Authenticated() => _limits.Authenticated(this);

        /// <summary>The client turned out to come from <paramref name="address"/>: counts it there.</summary>
        /// <returns><c>false</c> when it is one too many there; it then goes on to count where it did.</returns>
        public bool TryMoveTo(IPAddress address) => _limits.TryMove(this, address);

        /// <summary>The connection is gone.</summary>
        public void Dispose() => _limits.Leave(this);

        internal void Settle() => (Place, Evict, Network) = (null, null, null);
    }
}
