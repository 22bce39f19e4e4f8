using System.Net;

namespace ImapDirector.Standalone;

/// <summary>What <c>imapdirector standalone</c> was told on its command line.</summary>
internal sealed record StandaloneOptions
{
    public required string DataDirectory { get; init; }

    public required IPAddress Address { get; init; }

    public int ImapPort { get; init; } = 1143;

    public int ImapsPort { get; init; } = 1993;

    public int LmtpPort { get; init; } = 1124;

    public int HttpPort { get; init; } = 1180;

    /// <summary>On loopback only.</summary>
    public int RedisPort { get; init; } = 1163;

    /// <summary>An account to make, or to give the password to.</summary>
    public string? User { get; init; }

    public string? Password { get; init; }
}
