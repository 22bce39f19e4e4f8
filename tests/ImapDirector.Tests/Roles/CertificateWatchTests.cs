using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;
using ImapDirector.Roles;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ImapDirector.Tests.Roles;

public sealed class CertificateWatchTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly SetClock _clock = new(Now);
    private readonly LogIds _log = new();

    public void Dispose()
    {
        _log.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(13, true)]
    [InlineData(15, false)]
    [InlineData(-1, true)]
    public void A_certificate_that_ends_within_two_weeks_is_told_of_at_the_start(int days, bool isTold)
    {
        using var certificate = ServerCertificate.Load(Write("cert", days));
        Watch(certificate).Begin();
        Assert.Equal(isTold ? [10] : [], _log.Take());
    }

    [Fact]
    public void It_is_told_of_once_a_day_and_not_once_it_is_renewed()
    {
        var pair = Write("cert", 13);
        using var certificate = ServerCertificate.Load(pair);
        var watch = Watch(certificate);
        watch.Begin();
        Assert.Equal([10], _log.Take());
        for (var minute = 1; minute < 24 * 60; minute++) LookIn(TimeSpan.FromMinutes(1));
        Assert.Empty(_log.Take());
        LookIn(TimeSpan.FromMinutes(1));
        Assert.Equal([10], _log.Take());
        LookIn(TimeSpan.FromMinutes(1));
        Assert.Empty(_log.Take());

        Write("cert", 90);
        LookIn(TimeSpan.FromMinutes(1));
        Assert.Equal([3], _log.Take());
        LookIn(TimeSpan.FromDays(1));
        Assert.Empty(_log.Take());

        void LookIn(TimeSpan time)
        {
            _clock.Advance(time);
            watch.Look(isAsked: false);
        }
    }

    [Fact]
    public void Each_of_several_is_told_of_by_its_file_and_one_that_cannot_be_read_keeps_none_of_the_others_back()
    {
        var (first, further, other) = (Write("first", 90), Write("further", 3), Write("other", 90));
        using var certificate = ServerCertificate.Load(first, further: [further]);
        using var second = ServerCertificate.Load(other);
        var watch = Watch(certificate, second);
        watch.Begin();
        Assert.Equal([10], _log.Take());
        Assert.Contains(further.CertificateFile, Assert.Single(_log.Texts), StringComparison.Ordinal);

        File.WriteAllText(first.CertificateFile, "broken");
        Write("other", 5);
        watch.Look(isAsked: true);
        Assert.Equal([3, 4, 10, 10], _log.Take());
        watch.Look(isAsked: true);
        Assert.Equal([5], _log.Take());
    }

    [Fact]
    public void Lists_of_revoked_certificates_are_told_of_when_they_are_out_of_date_and_once_a_day()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var authority = request.CreateSelfSigned(Now.AddDays(-20), Now.AddDays(20));
        var (authorityFile, list) = (Path.Combine(_directory.FullName, "clients.pem"), Path.Combine(_directory.FullName, "list.crl"));
        File.WriteAllText(authorityFile, authority.ExportCertificatePem());
        WriteList(days: 2);
        using var certificate = ServerCertificate.Load(Write("cert", 90), clients: new ClientCertificateOptions(authorityFile, CrlFiles: [list]));
        var watch = Watch(certificate);
        watch.Begin();
        LookIn(TimeSpan.FromDays(1));
        Assert.Empty(_log.Take());
        LookIn(TimeSpan.FromHours(25));
        Assert.Equal([11], _log.Take());
        Assert.Contains(list, Assert.Single(_log.Texts), StringComparison.Ordinal);
        LookIn(TimeSpan.FromHours(23));
        Assert.Empty(_log.Take());
        LookIn(TimeSpan.FromHours(1));
        Assert.Equal([11], _log.Take());
        WriteList(days: 30);
        LookIn(TimeSpan.FromMinutes(1));
        Assert.Equal([3], _log.Take());
        LookIn(TimeSpan.FromDays(1));
        Assert.Empty(_log.Take());

        File.WriteAllText(list, "garbage");
        LookIn(TimeSpan.FromMinutes(1));
        Assert.Equal([3, 13], _log.Take());
        LookIn(TimeSpan.FromMinutes(1));
        Assert.Empty(_log.Take());
        LookIn(TimeSpan.FromDays(1));
        Assert.Equal([13], _log.Take());
        using var started = ServerCertificate.Load(Write("cert", 90), clients: new ClientCertificateOptions(authorityFile, CrlFiles: [list]));
        Watch(started).Begin();
        Assert.Equal([13], _log.Take());

        void WriteList(int days) => File.WriteAllBytes(list, new CertificateRevocationListBuilder().Build(authority, 1, Now.AddDays(days), HashAlgorithmName.SHA256, thisUpdate: Now.AddDays(-1)));

        void LookIn(TimeSpan time)
        {
            _clock.Advance(time);
            watch.Look(isAsked: false);
        }
    }

    private CertificateWatch Watch(params ServerCertificate[] certificates) => new(certificates, _log, _clock);

    private CertificatePair Write(string name, int days)
    {
        var pair = new CertificatePair(Path.Combine(_directory.FullName, $"{name}.pem"), Path.Combine(_directory.FullName, $"{name}-key.pem"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256).CreateSelfSigned(Now.AddDays(-20), Now.AddDays(days));
        File.WriteAllText(pair.CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(pair.KeyFile, key.ExportPkcs8PrivateKeyPem());
        return pair;
    }

    private sealed class SetClock(DateTimeOffset now) : TimeProvider
    {
        private TimeSpan _passed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => now + _passed;

        public override long GetTimestamp() => _passed.Ticks;

        public void Advance(TimeSpan time) => _passed += time;
    }

    private sealed class LogIds : ILogger, IDisposable
    {
        private readonly List<int> _ids = [];

        public List<string> Texts { get; } = [];

        public int[] Take()
        {
            int[] taken = [.. _ids];
            _ids.Clear();
            return taken;
        }

        public IDisposable BeginScope<TState>(TState state) where TState : notnull => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            _ids.Add(eventId.Id);
            Texts.Add(formatter(state, exception));
        }

        public void Dispose() => Texts.Clear();
    }
}
