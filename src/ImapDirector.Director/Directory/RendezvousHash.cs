using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Directory;

/// <summary>Weighted rendezvous hashing: each node draws a number from the user's name, and the highest wins. A node that is added
/// or taken out moves only the users it wins or held.</summary>
internal static class RendezvousHash
{
    /// <summary>The node for a new user, or <c>null</c> when no node of the pool has weight. The same in every process.</summary>
    public static BackendNode? Pick(UserName user, string pool, IReadOnlyList<BackendNode> nodes)
    {
        BackendNode? best = null;
        var highest = double.NegativeInfinity;
        foreach (var node in nodes)
        {
            if (node.Weight <= 0 || node.Pool != pool) continue;
            var score = Score(user, node);
            if (score < highest || (score == highest && string.CompareOrdinal(node.Name, best?.Name) > 0)) continue;
            (best, highest) = (node, score);
        }
        return best;
    }

    /// <summary>The nodes of a pool that have weight, in the order in which a new user would be given them.</summary>
    public static List<BackendNode> Rank(UserName user, string pool, IReadOnlyList<BackendNode> nodes) =>
        [.. nodes.Where(node => node.Weight > 0 && node.Pool == pool).OrderByDescending(node => Score(user, node)).ThenBy(static node => node.Name, StringComparer.Ordinal)];

    // -weight / ln(u) with u uniform in (0,1): the chance to be the highest is then in proportion to the weight.
    private static double Score(UserName user, BackendNode node)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(node.Name + "\n" + user.Value), hash);
        var uniform = ((BinaryPrimitives.ReadUInt64BigEndian(hash) >> 11) + 0.5) / (1UL << 53);
        return -node.Weight / Math.Log(uniform);
    }
}
