using System.Collections.Frozen;

namespace ImapDirector.Director;

/// <summary>Which of a director's settings hold without a restart. The others stay as they were at the start, everywhere: one that held in some places only would be worse than one that holds
/// in none.</summary>
public static class DirectorReload
{
    private static readonly FrozenDictionary<string, Func<DirectorOptions, DirectorOptions, DirectorOptions>> AtOnce =
        new Dictionary<string, Func<DirectorOptions, DirectorOptions, DirectorOptions>>
        {
            [nameof(DirectorOptions.AllowPlainTextLogin)] = static (running, read) => running with { AllowPlainTextLogin = read.AllowPlainTextLogin },
            [nameof(DirectorOptions.AssignmentCacheAge)] = static (running, read) => running with { AssignmentCacheAge = read.AssignmentCacheAge },
            [nameof(DirectorOptions.BackendConnectTimeout)] = static (running, read) => running with { BackendConnectTimeout = read.BackendConnectTimeout },
            [nameof(DirectorOptions.BackendLoginTimeout)] = static (running, read) => running with { BackendLoginTimeout = read.BackendLoginTimeout },
            [nameof(DirectorOptions.DefaultPool)] = static (running, read) => running with { DefaultPool = read.DefaultPool },
            [nameof(DirectorOptions.DeliveryTimeout)] = static (running, read) => running with { DeliveryTimeout = read.DeliveryTimeout },
            [nameof(DirectorOptions.DirectorNetworks)] = static (running, read) => running with { DirectorNetworks = read.DirectorNetworks },
            [nameof(DirectorOptions.DrainSpread)] = static (running, read) => running with { DrainSpread = read.DrainSpread },
            [nameof(DirectorOptions.LmtpNetworks)] = static (running, read) => running with { LmtpNetworks = read.LmtpNetworks },
            [nameof(DirectorOptions.LoginTimeout)] = static (running, read) => running with { LoginTimeout = read.LoginTimeout },
            [nameof(DirectorOptions.MasterPassword)] = static (running, read) => running with { MasterPassword = read.MasterPassword },
            [nameof(DirectorOptions.MasterUser)] = static (running, read) => running with { MasterUser = read.MasterUser },
            [nameof(DirectorOptions.MaxConnections)] = static (running, read) => running with { MaxConnections = read.MaxConnections },
            [nameof(DirectorOptions.MaxConnectionsPerAddress)] = static (running, read) => running with { MaxConnectionsPerAddress = read.MaxConnectionsPerAddress },
            [nameof(DirectorOptions.MaxLoginsPerNode)] = static (running, read) => running with { MaxLoginsPerNode = read.MaxLoginsPerNode },
            [nameof(DirectorOptions.MaxMessageBytes)] = static (running, read) => running with { MaxMessageBytes = read.MaxMessageBytes },
            [nameof(DirectorOptions.MaxSessionsPerAddress)] = static (running, read) => running with { MaxSessionsPerAddress = read.MaxSessionsPerAddress },
            [nameof(DirectorOptions.MaxSessionsPerNode)] = static (running, read) => running with { MaxSessionsPerNode = read.MaxSessionsPerNode },
            [nameof(DirectorOptions.MaxSessionsPerUser)] = static (running, read) => running with { MaxSessionsPerUser = read.MaxSessionsPerUser },
            [nameof(DirectorOptions.MaxSessionsPerUserAddress)] = static (running, read) => running with { MaxSessionsPerUserAddress = read.MaxSessionsPerUserAddress },
            [nameof(DirectorOptions.MaxWaitingLoginsPerNode)] = static (running, read) => running with { MaxWaitingLoginsPerNode = read.MaxWaitingLoginsPerNode },
            [nameof(DirectorOptions.NodeCheckFall)] = static (running, read) => running with { NodeCheckFall = read.NodeCheckFall },
            [nameof(DirectorOptions.NodeCheckInterval)] = static (running, read) => running with { NodeCheckInterval = read.NodeCheckInterval },
            [nameof(DirectorOptions.NodeCheckJitter)] = static (running, read) => running with { NodeCheckJitter = read.NodeCheckJitter },
            [nameof(DirectorOptions.NodeCheckRise)] = static (running, read) => running with { NodeCheckRise = read.NodeCheckRise },
            [nameof(DirectorOptions.NodeCheckUser)] = static (running, read) => running with { NodeCheckUser = read.NodeCheckUser },
            [nameof(DirectorOptions.NodeNetworks)] = static (running, read) => running with { NodeNetworks = read.NodeNetworks },
            [nameof(DirectorOptions.Nodes)] = static (running, read) => running with { Nodes = read.Nodes },
            [nameof(DirectorOptions.PlainTextNetworks)] = static (running, read) => running with { PlainTextNetworks = read.PlainTextNetworks },
            [nameof(DirectorOptions.ProxyNetworks)] = static (running, read) => running with { ProxyNetworks = read.ProxyNetworks },
            [nameof(DirectorOptions.SharedStoragePools)] = static (running, read) => running with { SharedStoragePools = read.SharedStoragePools },
        }.ToFrozenDictionary();

    /// <summary>The names of those that hold without a restart.</summary>
    public static IEnumerable<string> Keys => AtOnce.Keys;

    /// <summary>What holds from now on.</summary>
    /// <param name="running">What held until now.</param>
    /// <param name="read">What is configured now.</param>
    public static DirectorOptions Apply(DirectorOptions running, DirectorOptions read) => AtOnce.Values.Aggregate(running, (options, take) => take(options, read));
}
