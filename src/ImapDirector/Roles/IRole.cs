using ImapDirector.Network.Tls;

namespace ImapDirector.Roles;

/// <summary>What a process does, from start to drain.</summary>
internal interface IRole : IAsyncDisposable
{
    /// <summary>Opens everything; when it returns every port accepts.</summary>
    /// <exception cref="UnauthorizedAccessException">A directory belongs to somebody else.</exception>
    /// <exception cref="IOException">A directory or a file cannot be used, or an address is taken or not ours.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>What an operator wants to know once it runs, before READY.</summary>
    IEnumerable<string> Describe();

    /// <summary>What is shown to those who connect, once it has started.</summary>
    IReadOnlyList<ServerCertificate> Certificates { get; }

    /// <summary>Takes nothing new, says goodbye, lets what runs come to its end.</summary>
    Task DrainAsync(TimeSpan timeout);
}
