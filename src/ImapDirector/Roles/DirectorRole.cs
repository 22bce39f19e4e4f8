using ImapDirector.Configuration;
using ImapDirector.Director;
using ImapDirector.Network.Tls;
using ImapDirector.Operations;
using ImapDirector.Operations.Health;
using ImapDirector.Operations.Metrics;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Roles;

/// <summary><c>imapdirector director</c>.</summary>
internal sealed class DirectorRole : IRole
{
    private readonly DirectorServer _director;
    private readonly ServerCertificate _certificate;
    private readonly ServerCertificate? _https;
    private readonly OperationsServer? _operations;

    /// <exception cref="ConfigurationException">The certificate or the HTTP settings cannot be used.</exception>
    public DirectorRole(DirectorSettings settings, ILoggerFactory loggers)
    {
        var registry = ProcessMetrics.NewRegistry();
        _certificate = settings.Process.LoadCertificate(settings.Director.Name, settings.Director.ClientCertificates) ?? throw new ConfigurationException("CertificateFile and KeyFile are unset: name the PEM files.");
        _https = settings.Process.LoadHttpsCertificate();
        if (_https is not null) OperatorAuthorities.Check(settings.Process.Https!.Operators, _https, _certificate, loggers.CreateLogger<DirectorRole>());
        new CertificateMetrics(Metrics.WithCustomRegistry(registry)).Follow(registry, Certificates);
        _director = new DirectorServer(settings.Director, _certificate, Metrics.WithCustomRegistry(registry), loggers);
        _operations = HttpSide.Create(settings.Process, [new NamedCheck("director", _director.NotReadyReasonAsync)], _director, settings.LoadApiToken(), registry, loggers, _https);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_operations is not null) await _operations.StartAsync(cancellationToken);
        await _director.StartAsync(cancellationToken);
    }

    public IEnumerable<string> Describe()
    {
        if (_director.ImapEndPoint is { } imap) yield return $"IMAP   {imap}";
        if (_director.ImapsEndPoint is { } imaps) yield return $"IMAPS  {imaps}";
        if (_director.LmtpEndPoint is { } lmtp) yield return $"LMTP   {lmtp}";
        if (_operations is not null) yield return $"HTTP   http://{_operations.EndPoint}/metrics";
        if (_operations?.HttpsEndPoint is { } https) yield return $"HTTPS  https://{https}/metrics";
    }

    /// <summary>Goes on with other settings, as far as that can be done without a restart.</summary>
    /// <exception cref="ConfigurationException">It cannot be, and everything stays as it was.</exception>
    public void Reload(DirectorSettings settings)
    {
        if (_director.Reload(settings.Director) is { Count: > 0 } errors) throw new ConfigurationException(errors);
    }

    public IReadOnlyList<ServerCertificate> Certificates => [.. new[] { _certificate, _https }.OfType<ServerCertificate>()];

    public Task DrainAsync(TimeSpan timeout) => _director.DrainAsync(timeout);

    public async ValueTask DisposeAsync()
    {
        await _director.DisposeAsync();
        if (_operations is not null) await _operations.DisposeAsync();
        _certificate.Dispose();
        _https?.Dispose();
    }
}
