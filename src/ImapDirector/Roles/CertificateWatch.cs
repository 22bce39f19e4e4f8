using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Roles;

/// <summary>Looks after a process's certificates: shows those that are renewed, and tells of those that end soon, and once a day of what cannot be used.</summary>
internal sealed partial class CertificateWatch(IReadOnlyList<ServerCertificate> certificates, ILogger logger, TimeProvider clock)
{
    private static readonly TimeSpan WarnBefore = TimeSpan.FromDays(14);
    private static readonly TimeSpan WarnEvery = TimeSpan.FromDays(1);

    private long _toldAt;
    private int _outOfDate;

    /// <summary>Tells what there is to be told of them at the start.</summary>
    public void Begin() => Tell();

    /// <summary>Reads their files again.</summary>
    /// <param name="isAsked">Whether somebody waits for a word of it.</param>
    public void Look(bool isAsked)
    {
        var (isNew, isBroken) = (false, false);
        foreach (var certificate in certificates)
        {
            try
            {
                var reload = certificate.Reload();
                if (reload == CertificateReload.Unchanged) continue;
                isNew = true;
                if (reload == CertificateReload.Kept) continue;
                foreach (var (_, fingerprint, expires) in certificate.All) Log.Reloaded(logger, fingerprint, expires);
            }
            catch (Exception fault)
            {
                // Whatever is in a file that is read again, sessions do not end for it.
                isBroken = true;
                Log.Fault(logger, fault);
            }
        }
        if (isAsked && !isNew && !isBroken) Log.NothingNew(logger);
        // What was in time a minute ago may be out of date.
        if (isNew || OutOfDate.Count() != _outOfDate || clock.GetElapsedTime(_toldAt) >= WarnEvery) Tell();
    }

    private IEnumerable<RevocationState> OutOfDate => certificates.SelectMany(static one => one.RevocationLists).Where(list => list.Expires > DateTimeOffset.UnixEpoch && list.Expires <= clock.GetUtcNow());

    private void Tell()
    {
        RevocationState[] outOfDate = [.. OutOfDate];
        (_toldAt, _outOfDate) = (clock.GetTimestamp(), outOfDate.Length);
        foreach (var (file, expires) in outOfDate) Log.OutOfDate(logger, file, expires);
        foreach (var certificate in certificates)
        {
            foreach (var fault in certificate.Faults) Log.Kept(logger, fault);
            foreach (var fault in certificate.ClientFaults) Log.KeptOfClients(logger, fault);
            foreach (var fault in certificate.StapleFaults) Log.NotStapled(logger, fault);
            foreach (var (file, _, expires) in certificate.All)
                if (expires - clock.GetUtcNow() < WarnBefore) Log.EndsSoon(logger, file, expires);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3, LogLevel.Information, "The certificate files were read again: SHA-256 {Fingerprint}, valid until {Expires:u}")]
        public static partial void Reloaded(ILogger logger, string fingerprint, DateTimeOffset expires);

        [LoggerMessage(4, LogLevel.Error, "The certificate that clients are shown stays the old one. {Reason}")]
        public static partial void Kept(ILogger logger, string reason);

        [LoggerMessage(13, LogLevel.Error, "Not everything is used that is in the files about clients' certificates: what was known before holds, and where that was nothing, no certificate counts. {Reason}")]
        public static partial void KeptOfClients(ILogger logger, string reason);

        [LoggerMessage(12, LogLevel.Error, "A fault in reading the certificate's files again: what clients are shown, and who is asked for a certificate, stays as it was")]
        public static partial void Fault(ILogger logger, Exception exception);

        [LoggerMessage(5, LogLevel.Information, "SIGHUP: nothing new in the certificate's files")]
        public static partial void NothingNew(ILogger logger);

        [LoggerMessage(9, LogLevel.Warning, "Clients that ask are not told what the authority says of a certificate. {Reason}")]
        public static partial void NotStapled(ILogger logger, string reason);

        [LoggerMessage(11, LogLevel.Error, "The lists of revoked certificates in \"{File}\" are out of date since {Expires:u}, so that no client's certificate of theirs counts: fetch new ones")]
        public static partial void OutOfDate(ILogger logger, string file, DateTimeOffset expires);

        [LoggerMessage(10, LogLevel.Warning, "The certificate in \"{File}\" is valid until {Expires:u} and no longer: renew it")]
        public static partial void EndsSoon(ILogger logger, string file, DateTimeOffset expires);
    }
}
