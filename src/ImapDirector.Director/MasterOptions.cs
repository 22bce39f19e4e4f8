using System.Net;

namespace ImapDirector.Director;

/// <summary>Who may log in as a user with a password of their own: support staff, tools that migrate mail.</summary>
public sealed record MasterOptions
{
    /// <summary>A file in the form of Dovecot's passwd-file with nobody but masters in it, at most 64 MiB.</summary>
    public required string File { get; init; }

    /// <summary>From where masters may log in; at least one network, and none that holds every address.</summary>
    public IReadOnlyList<IPNetwork> Networks { get; init; } = [];

    /// <summary>What stands between the user's name and the master's where a client can send only one (<c>user*master</c>), or <c>null</c> for nothing: printable ASCII
    /// that is in no user's name.</summary>
    public char? Separator { get; init; }
}
